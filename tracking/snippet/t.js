// The tracking snippet: what a person does on a website, as Segment messages to /v1/batch.
// <script async src="https://HOST/t.js" data-key="pk_…"></script> · docs/snippet.md
//
// Until there is consent nothing is kept on the device and nothing is sent. It is served
// without comments and blanks (serving.py): a text must not go over several lines, a regular
// expression have no blank or quote, and a comment beside code follows a semicolon.
(() => {
  "use strict";
  const stub = window.funnel;
  if (stub?.track) return; // in the page twice

  const script = document.currentScript;
  const options = script.dataset;
  const API = (options.host || new URL(script.src).origin) + "/v1/batch";
  const COOKIE = "_fnl_id=", STORE = "_fnl_q.", STAFF = "_fnl_staff";
  const COOKIE_SECONDS = 390 * 86400; // below 13 months, and never prolonged
  const ATTENTION_MS = 30000; // after a sign of life somebody is taken to be reading for so long
  const MOST_KEPT = 100; // messages
  const LARGEST = 20000; // characters of a request; leaving, browsers carry 64 KB of UTF-8
  const ENGAGED = "Page Engaged";
  const MARK = /^(utm_\w+|[gdy]clid|[gw]braid|msclkid|li_fat_id|ttclid|twclid|rdt_cid|epik|fbclid|irclickid|ref)$/;
  const FILE = /[^/]+\.(pdf|docx?|xlsx?|pptx?|csv|zip|rar|7z|gz|epub|mp[34]|mov|exe|msi|dmg|apk|pkg|deb|rpm|st?e?p|dwg)$/i;
  const UNREAD = /^(password|hidden|file|submit|button|image|reset|fieldset)$|^cc-|password$|^one-time/;
  // The fields of forms that are read, by name or autocomplete; a text is sent as its first word.
  const FIELDS = { __proto__: null };
  for (const line of [
    "email email mail emailaddress", "phone phone phonenumber telephone tel mobile",
    "name name fullname", "country country countryname",
    "first_name firstname fname givenname", "last_name lastname lname familyname surname",
    "company company companyname organization organisation",
    "job_title jobtitle position organizationtitle",
    "consent consent marketingconsent emailconsent optin",
  ]) {
    const [field, ...names] = line.split(" ");
    for (const name of names) FIELDS[name] = field;
  }

  const attempt = (work) => { try { return work(); } catch {} };
  const keep = (name, text) => attempt(() => text ? localStorage[name] = text : localStorage.removeItem(name));
  const random = () => Array.from(crypto.getRandomValues(new Uint8Array(20)), (byte) => byte.toString(16).padStart(2, 0)).join("");
  const now = () => new Date().toISOString();
  const own = STORE + random(); // where this page keeps what is not delivered yet
  const away = new Set(); // messages under way

  let visitor, isAllowed, isKept, timer, isBusy, failures = 0, notBefore = 0, queue = [];
  let page, fresh; // the page view under way; its message while the title may still change
  let engaged, reported, seenAt, isVisible;
  let staff; // the mark of a colleague that was given on this page, "" to take it off

  // --- Consent, and what is kept on the device
  const known = () => document.cookie.match(/_fnl_id=(\w{32,})/)?.[1];

  function remember(value, seconds) {
    const domain = options.domain ? ";domain=" + options.domain : "";
    const secure = location.protocol === "https:" ? ";secure" : "";
    document.cookie = COOKIE + value + ";path=/;samesite=lax;max-age=" + seconds + domain + secure;
  }

  function save() {
    if (!isStill()) return;
    keep(own, queue[0] && JSON.stringify(queue));
    if (staff != null) keep(STAFF, staff);
  }

  // What earlier pages could not deliver. Another tab may still have it, too; an id counts once.
  function collect() {
    const found = [];
    for (const key of attempt(() => Object.keys(localStorage)) || []) {
      if (!key.startsWith(STORE)) continue;
      attempt(() => found.push(...JSON.parse(localStorage[key])));
      keep(key);
    }
    return found;
  }

  function meet() {
    visitor = known() || random();
    if (!known()) remember(visitor, COOKIE_SECONDS);
    isKept = known();
    for (const message of queue) message.anonymousId ||= visitor;
  }

  function consent(answer) {
    const isGiven = answer && !navigator.globalPrivacyControl && navigator.doNotTrack !== "1";
    if (isGiven && isAllowed) return;
    const earlier = collect();
    if (isGiven && !queue[0]) view(); // after a no
    isAllowed = isGiven;
    if (isGiven) {
      meet();
      queue.unshift(...earlier);
      save();
      plan();
    } else {
      queue = [];
      visitor = 0;
      keep(STAFF);
      if (known()) {
        remember("", 0);
        keep(STORE, 1); // other tabs hear of it
        keep(STORE);
      }
    }
  }

  // Whoever took their yes back in a tab of another sub-domain, or while this one slept, has no cookie now.
  function isStill() {
    if (isAllowed && isKept && !known()) consent();
    return isAllowed;
  }

  // Banners of the IAB's framework: 1 is storage on the device, 8 is measuring content.
  function ask() {
    if (!window.__tcfapi) return setTimeout(ask, 500);
    __tcfapi("addEventListener", 2, (told, isFine) => {
      const given = told?.purpose?.consents || {};
      if (isFine && told.eventStatus !== "cmpuishown") consent(told.gdprApplies === false || (given[1] && given[8]));
    });
  }

  // --- Sending: each message until somebody confirms it, always under the same id
  function send(message) {
    if (!isStill() && message !== fresh) return;
    queue.push(Object.assign(message, { messageId: message.messageId || random(), timestamp: now(), anonymousId: visitor, context: context() }));
    queue = queue.slice(-MOST_KEPT);
    save();
    plan();
  }

  function plan() {
    const wait = failures ? 1000 * 2 ** failures * (0.5 + Math.random()) : 50;
    timer = timer || setTimeout(flush, Math.min(Math.max(wait, notBefore - Date.now() || 0), 3e5)); // a date says nothing
  }

  function next() {
    if (!isStill() || Date.now() < notBefore) return [];
    entitle();
    const part = [];
    let size = 0;
    for (const message of queue) {
      size += away.has(message) ? 0 : JSON.stringify(message).length;
      if (part[0] && size > LARGEST) break;
      if (!away.has(message)) part.push(message);
    }
    part.forEach(away.add, away);
    return part;
  }

  const pack = (batch) => JSON.stringify({ writeKey: options.key, sentAt: now(), batch });

  function flush() {
    timer = clearTimeout(timer);
    const part = isBusy ? [] : next();
    if (Date.now() < notBefore) plan();
    if (!part[0]) return;
    isBusy = 1;
    const body = pack(part);
    fetch(API, { method: "POST", body, credentials: "omit", keepalive: body.length < LARGEST + 500 })
      .then(({ status, headers }) => {
        notBefore = Date.now() + headers.get("retry-after") * 1000;
        return status < 500 && status !== 408 && status !== 429;
      }, () => 0)
      .then((isDone) => {
        isBusy = 0;
        failures = isDone ? 0 : failures + 1;
        part.forEach(away.delete, away);
        if (isDone) queue = queue.filter((message) => !part.includes(message));
        save();
        if (queue[0]) plan();
      });
  }

  // A beacon is never confirmed, so what it carries is sent again by the next page, under the
  // same id. Engaged time is not: nothing but one number would be lost.
  function leave() {
    report();
    for (let part = []; navigator.onLine && (part = next())[0] && navigator.sendBeacon(API, pack(part));) continue;
    queue = queue.filter((message) => message.event !== ENGAGED || !away.has(message));
    save();
  }

  // --- What a message says about where it happened
  // Unknown parameters may be anything, a token or an address: they stay on the website.
  function clean(address) {
    const url = attempt(() => new URL(address));
    if (!url) return "";
    for (const name of [...url.searchParams.keys()]) {
      if (!MARK.test(name) && !(options.params || "").split(",").includes(name)) url.searchParams.delete(name);
    }
    url.hash = "";
    return url.href.slice(0, 2000);
  }

  const title = () => document.title.slice(0, 300);

  // Scripts change the address first and the title a moment later.
  function entitle() {
    if (fresh) fresh.context.page.title = title();
    fresh = 0;
  }

  function context() {
    const campaign = {};
    for (const [name, value] of new URL(page.url).searchParams) {
      if (name.startsWith("utm_")) campaign[name === "utm_campaign" ? "name" : name.slice(4)] = value.slice(0, 200);
    }
    return {
      page: { url: page.url, referrer: page.referrer, title: title() },
      campaign: page.url.includes("utm_") ? campaign : undefined,
      webdriver: navigator.webdriver || undefined,
      staff: (staff ?? attempt(() => localStorage[STAFF])) || undefined,
    };
  }

  // --- Page views, and the time that is really spent on them
  function view(properties) {
    entitle();
    report();
    const referrer = page ? page.url : clean(document.referrer);
    page = { id: random(), url: clean(location), path: location.pathname, referrer };
    engaged = reported = 0;
    fresh = { type: "page", messageId: page.id, properties };
    send(fresh);
  }

  // A page that was only asleep is looked at again; what was under way may have been lost.
  function wake(event) {
    if (!event.persisted) return;
    away.clear();
    isBusy = 0;
    view();
  }

  const moved = () => { if (location.pathname !== page.path) view(); };

  function settle() {
    const at = performance.now();
    if (isVisible) engaged += Math.min(at - seenAt, ATTENTION_MS);
    seenAt = at;
    isVisible = document.visibilityState === "visible";
  }

  function report() {
    settle();
    if (!isAllowed || engaged - reported < 100) return;
    reported = engaged;
    queue = queue.filter((message) => message.properties?.page_view_id !== page.id || away.has(message));
    track(ENGAGED, { page_view_id: page.id, engaged_ms: Math.round(engaged) });
  }

  // --- Clicks, downloads, forms
  function clicked(event) {
    const start = event.composedPath()[0];
    const target = start.closest?.("a[href],area[href],[data-track]:not(form)");
    if (!target || event.button > 1) return;
    const link = target.closest("a[href],area[href]");
    const url = attempt(() => new URL(link.href));
    const isPlace = /^(https?|mailto|tel):$/.test(url?.protocol);
    const href = isPlace ? clean(url) : "";
    const { track: label, trackEvent } = target.dataset;
    const file = isPlace && (FILE.exec(url.pathname) || (link.hasAttribute("download") && [link.download || url.pathname]));
    if (file) track(trackEvent || "File Downloaded", { file_name: attempt(() => decodeURI(file[0])), url: href, label });
    else if (label || (isPlace && url.host !== location.host)) track(trackEvent || "Link Clicked", { label, text: target.textContent.trim().slice(0, 100), href });
  }

  const plain = (name) => (name || "").toLowerCase().replace(/[^a-z]|^(your|work|business)[^a-z]?/g, "");

  function nameOf(field) {
    const purpose = field.autocomplete || "";
    if (UNREAD.test(field.type) || UNREAD.test(purpose)) return;
    return field.dataset.trackField || FIELDS[plain(field.name || field.id)] || FIELDS[plain(purpose)] || FIELDS[field.type];
  }

  function submitted({ target: form }) {
    const { track: label, trackEvent, trackIgnore } = form.dataset;
    const id = form.getAttribute("id");
    const said = { form_name: label || form.getAttribute("name") || id, form_id: id };
    if (trackIgnore !== undefined || (!label && form.querySelector("[type=password]"))) return;
    for (const field of form.elements) {
      const name = nameOf(field);
      const isBox = field.type === "checkbox";
      if (name && field.value && (isBox || field.type !== "radio" || field.checked)) said[name] = isBox ? field.checked : field.value.trim().slice(0, 500);
    }
    if (label || said.email) track(trackEvent || "Form Submitted", said);
  }

  // --- What the website may call: funnel.track(…), or funnel("track", …) before it is here
  const track = (event, properties) => send({ type: "track", event, properties });
  const api = {
    track,
    consent,
    page: view,
    identify: (traits) => send({ type: "identify", traits }),
    id: () => isAllowed && visitor,
    reset: () => { if (isAllowed) { remember("", 0); meet(); } },
    staff: (mark) => { staff = mark || ""; save(); },
  };

  function start() {
    const on = (names, work) => names.split(" ").forEach((name) => addEventListener(name, work, { capture: true, passive: true }));
    for (const name of ["pushState", "replaceState"]) {
      const original = history[name];
      history[name] = (...given) => { original.apply(history, given); moved(); };
    }
    on("popstate", moved);
    on("click auxclick", clicked);
    on("submit", submitted);
    on("pointermove pointerdown keydown scroll", settle);
    on("visibilitychange", () => { report(); flush(); });
    on("pagehide", leave);
    on("pageshow", wake);
    on("online", () => { failures = 0; flush(); });
    on("funnel:consent", (event) => consent(event.detail));
    on("storage", (event) => { if (event.key === STORE) consent(); });
    const mark = /#funnel-staff=(off|(\w+))/.exec(location);
    if (mark) {
      api.staff(mark[2]);
      location.hash = ""; // so that nobody passes it on
    }
    view();
    if (options.consent === "tcf") ask();
    else if (options.consent === "granted" || known()) consent(true);
    window.funnel = Object.assign((name, ...given) => api[name](...given), api);
    for (const [name, ...given] of stub?.q || []) attempt(() => api[name](...given));
  }

  if (document.prerendering) document.addEventListener("prerenderingchange", start);
  else start();
})();
