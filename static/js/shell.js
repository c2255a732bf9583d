// Behaviour that every page shares. Pages work as plain links and forms without it.
(() => {
  "use strict";
  const TOAST_MS = 6000;

  function letToastsFade(root) {
    for (const toast of root.querySelectorAll('[data-toast="success"], [data-toast="info"]')) {
      setTimeout(() => toast.remove(), TOAST_MS);
    }
  }

  // The sentence stands translated in the page (templates/partials/messages.html).
  function tellTrouble() {
    const template = document.getElementById("trouble");
    const place = document.getElementById("messages");
    if (!template || !place || place.querySelector("[data-trouble]")) return;
    place.append(template.content.cloneNode(true));
  }

  // An address worth sharing names only what was chosen.
  document.addEventListener("formdata", (event) => {
    if (event.target.method !== "get") return;
    for (const [name, value] of [...event.formData]) {
      if (value === "") event.formData.delete(name);
    }
  });

  // data-autosubmit: a filter form that answers at once.
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form[data-autosubmit]");
    if (form && event.target.name && event.target.type !== "search") form.requestSubmit();
  });

  // data-confirm: ask before something that cannot be taken back.
  document.addEventListener("submit", (event) => {
    const question = event.submitter?.dataset.confirm || event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  // "/" goes to the search field of the page.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const field = document.querySelector("[data-search]");
    if (!field) return;
    event.preventDefault();
    field.focus();
  });

  // A fragment that did not come is said aloud; what was there stays.
  document.addEventListener("htmx:error", tellTrouble);
  document.addEventListener("htmx:response:error", (event) => {
    const status = event.detail.ctx.response.status;
    if (status >= 500 || status === 403 || status === 404) tellTrouble();
  });

  letToastsFade(document);
  document.addEventListener("htmx:after:swap", () => letToastsFade(document));
})();
