// What a website's server written for Node does: every call of @segment/analytics-node.
// node send.mjs <host> <write key>; prints the number of messages that were delivered.
import { Analytics } from "@segment/analytics-node";

const [host, writeKey] = process.argv.slice(2);
const analytics = new Analytics({ host, writeKey, flushAt: 4, flushInterval: 50 });
let delivered = 0;
analytics.on("error", (error) => { console.error(error); process.exitCode = 1; });
analytics.on("http_request", ({ body }) => { delivered += JSON.parse(body).batch.length; });

const userId = "u1";
analytics.identify({ userId, anonymousId: "v1", traits: { email: "ada@acme.example", name: "Ada" } });
analytics.track({
  userId,
  event: "Email Opened",
  properties: { email_subject: "Spring", nothing: null },
  context: { ip: "10.1.2.3", page: { url: "https://us.example/?gclid=1", title: null } },
});
analytics.page({ anonymousId: "v1", name: "Prices", properties: { url: "https://us.example/pricing" } });
analytics.screen({ userId, name: "Home" });
analytics.group({ userId, groupId: "acme", traits: { name: "Acme" } });
analytics.alias({ userId, previousId: "v1" });
analytics.track({ userId, event: "Order Completed", timestamp: new Date("2026-01-02T03:04:05Z") });
await analytics.closeAndFlush({ timeout: 10_000 });
console.log(delivered);
