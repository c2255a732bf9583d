// Behaviour that every page shares. Pages work as plain links and forms without it.
(() => {
  "use strict";
  const TOAST_MS = 6000;

  function letToastsFade(root) {
    for (const toast of root.querySelectorAll('[data-toast="success"], [data-toast="info"]')) {
      setTimeout(() => toast.remove(), TOAST_MS);
    }
  }

  // data-autosubmit: a filter form that answers at once.
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form[data-autosubmit]");
    if (form && event.target.name) form.requestSubmit();
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

  letToastsFade(document);
})();
