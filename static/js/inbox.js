// The inbox by keyboard: j k move, a accept, r reject, u undo, Enter opens, ? helps.
//
// A decision is final once the server has it (docs/lifecycle.md), so it is held
// back here for a few seconds. Until then `u` takes it back, and leaving the page
// sends it at once. Without this file the inbox works as plain links and forms.
(() => {
  "use strict";
  const inbox = document.querySelector("[data-inbox]");
  if (!inbox) return;
  const text = inbox.dataset;
  const HOLD_MS = Number(text.undoSeconds) * 1000;
  const REFRESH_MS = 60_000;
  const notices = inbox.querySelector("[data-notices]");
  const detail = inbox.querySelector("[data-detail]");
  const help = inbox.querySelector("[data-keys]");
  const held = new Map(); // hand-off id → {url, body, timer, notice}, oldest first

  const list = () => inbox.querySelector("#inbox-list");
  const rows = () => [...list().querySelectorAll("li[data-handoff]:not([hidden])")];
  const row = (id) => list().querySelector(`li[data-handoff="${id}"]`);
  const link = (item) => item.querySelector("a");
  const chosen = () => rows().find((item) => link(item).hasAttribute("aria-current"));
  const token = () => inbox.querySelector("[data-token] input").value;

  // --- Choosing -------------------------------------------------------------

  let loading = null;
  let drawn = Promise.resolve(); // when the detail of the last choice is on the page
  const shownId = () => detail.querySelector("[data-detail-of]")?.dataset.detailOf;

  function mark(item) {
    for (const other of list().querySelectorAll("a[aria-current='true']")) other.removeAttribute("aria-current");
    if (item) link(item).setAttribute("aria-current", "true");
  }

  function choose(item, options) {
    drawn = draw(item, options);
    return drawn;
  }

  async function draw(item, { focus = true } = {}) {
    mark(item);
    if (!item) {
      detail.replaceChildren();
      return;
    }
    if (focus) link(item).focus({ preventScroll: true });
    item.scrollIntoView({ block: "nearest" });
    history.replaceState(null, "", link(item).getAttribute("href").split("#")[0]);
    loading?.abort();
    loading = new AbortController();
    try {
      const answer = await fetch(item.dataset.url, { headers: { "HX-Request": "true" }, signal: loading.signal });
      if (answer.redirected) return location.reload();
      if (answer.ok) detail.innerHTML = await answer.text();
      else await refresh();
    } catch (error) {
      if (error.name !== "AbortError") tell(text.textOffline, "danger");
    }
  }

  function move(step) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(chosen());
    choose(all[Math.min(Math.max(at + step, 0), all.length - 1)]);
  }

  // --- Deciding -------------------------------------------------------------

  function hold(item, decision, body) {
    const id = item.dataset.handoff;
    if (held.has(id)) return;
    const all = rows();
    const at = all.indexOf(item);
    const next = all[at + 1] || all[at - 1];
    item.hidden = true;
    const said = decision === "accept" ? text.textAccept : text.textReject;
    const notice = tell(`${item.dataset.name}: ${said}`, "info");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm";
    button.textContent = `${text.textUndo} (u)`;
    button.addEventListener("click", () => undo(id));
    notice.append(button);
    held.set(id, {
      url: item.dataset.decisionUrl,
      body,
      notice,
      timer: setTimeout(() => send(id), HOLD_MS),
    });
    choose(next);
  }

  function undo(id = [...held.keys()].pop()) {
    const decision = held.get(id);
    if (!decision) return;
    clearTimeout(decision.timer);
    decision.notice.remove();
    held.delete(id);
    const item = row(id);
    if (!item) return;
    item.hidden = false;
    choose(item);
  }

  async function send(id) {
    const { url, body, notice } = held.get(id);
    let answer;
    try {
      answer = await post(url, body);
    } catch {
      held.delete(id);
      notice.remove();
      if (row(id)) row(id).hidden = false;
      tell(text.textOffline, "danger");
      return;
    }
    notice.remove();
    held.delete(id);
    if (answer.redirected) return location.reload();
    show(await answer.text(), answer.ok);
  }

  function post(url, body) {
    return fetch(url, { method: "POST", body, keepalive: true, headers: { "HX-Request": "true" } });
  }

  // Leaving the page ends the time to think it over. The first event comes before
  // the next page is asked for; phones send only the second.
  function sendAll() {
    for (const { url, body, timer } of held.values()) {
      clearTimeout(timer);
      post(url, body).catch(() => {});
    }
    held.clear();
  }
  window.addEventListener("beforeunload", sendAll);
  window.addEventListener("pagehide", sendAll);

  // --- What the server says ---------------------------------------------------

  function show(html, isOk) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const sentence = page.querySelector("[data-sentence]");
    if (sentence && !isOk) tell(sentence.textContent, "danger");
    else if (sentence) tell(sentence.textContent, "success", 4000);
    takeOver(page.querySelector("#inbox-list"));
  }

  function takeOver(fresh) {
    if (!fresh) return;
    const id = chosen()?.dataset.handoff;
    const hadFocus = list().contains(document.activeElement);
    list().replaceWith(document.adoptNode(fresh));
    for (const heldId of held.keys()) if (row(heldId)) row(heldId).hidden = true;
    const same = id && row(id);
    if (same) {
      mark(same);
      if (hadFocus) link(same).focus({ preventScroll: true });
    } else choose(rows()[0], { focus: hadFocus });
    const count = list().dataset.openCount;
    for (const badge of document.querySelectorAll("[data-waiting-count]")) {
      badge.firstChild.textContent = count;
      badge.hidden = count === "0";
    }
  }

  async function refresh() {
    try {
      const address = `${text.listUrl}${location.search}`;
      const answer = await fetch(address, { headers: { "HX-Request": "true" } });
      if (answer.ok && !answer.redirected) show(await answer.text(), true);
    } catch {
      // Next time, perhaps. What is shown stays.
    }
  }

  setInterval(() => {
    const isBusy = document.hidden || help.open || held.size || detail.querySelector("details[open]");
    if (!isBusy) refresh();
  }, REFRESH_MS);

  function tell(sentence, kind, fadesAfter) {
    const notice = document.createElement("div");
    notice.className = `alert alert-${kind}`;
    if (kind === "danger") notice.setAttribute("role", "alert");
    const words = document.createElement("span");
    words.textContent = sentence;
    notice.append(words);
    if (kind === "danger") for (const old of notices.querySelectorAll(".alert-danger")) old.remove();
    notices.append(notice);
    if (fadesAfter) setTimeout(() => notice.remove(), fadesAfter);
    return notice;
  }

  // --- Hands ------------------------------------------------------------------

  function accept(item) {
    if (!item?.dataset.decisionUrl) return;
    const body = new FormData();
    body.set("csrfmiddlewaretoken", token());
    body.set("decision", "accept");
    hold(item, "accept", body);
  }

  // Quick fingers press r before the next lead is drawn: never open the one before.
  async function openReject() {
    await drawn;
    const reject = detail.querySelector("[data-reject]");
    if (!reject || shownId() !== chosen()?.dataset.handoff) return;
    reject.open = true;
    reject.querySelector("input[type=radio]").focus();
  }

  function pickReason(digit) {
    const radio = detail.querySelector(`details[open] [data-digit="${digit}"]`);
    if (!radio) return;
    radio.checked = true;
    radio.form.querySelector("button").focus();
  }

  inbox.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-decide]");
    if (!form) return;
    const item = row(shownId());
    if (!item) return; // a plain form will do
    event.preventDefault();
    hold(item, form.dataset.decide, new FormData(form));
  });

  inbox.addEventListener("click", (event) => {
    const anchor = event.target.closest("a.handoff-row");
    if (!anchor || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const item = anchor.closest("li");
    if (event.detail === 0 && item === chosen()) location.assign(item.dataset.leadUrl); // Enter
    else choose(item).then(() => matchMedia("(max-width: 991px)").matches && detail.scrollIntoView());
  });

  // --- Keys -------------------------------------------------------------------

  const wantsKeys = help.querySelector("[data-keys-on]");
  wantsKeys.checked = localStorage.getItem("inbox-keys") !== "off";
  wantsKeys.addEventListener("change", () => localStorage.setItem("inbox-keys", wantsKeys.checked ? "on" : "off"));
  const opener = document.querySelector("[data-keys-open]");
  opener.hidden = false;
  opener.addEventListener("click", () => help.showModal());

  const KEYS = {
    j: () => move(1),
    k: () => move(-1),
    a: () => accept(chosen()),
    r: openReject,
    u: () => undo(),
    "?": () => help.showModal(),
    Escape: () => {
      const open = detail.querySelector("details[open]");
      if (open) open.open = false;
    },
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open || !wantsKeys.checked) return;
    const isTyping = event.target.closest("textarea, select, input:not([type=radio])");
    if (isTyping && event.key !== "Escape") return;
    const act = /^[1-9]$/.test(event.key) ? () => pickReason(event.key) : KEYS[event.key];
    if (event.key === "Enter" && event.target === document.body && chosen()) {
      location.assign(chosen().dataset.leadUrl);
    }
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
