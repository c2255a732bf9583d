// data-copy: puts the text of the element with that id on the clipboard, and says so.
(() => {
  "use strict";
  const SHOWN_MS = 2000;

  async function copy(button) {
    const text = document.getElementById(button.dataset.copy)?.textContent;
    if (!text) return;
    await navigator.clipboard.writeText(text);
    const label = button.querySelector("span");
    const before = label.textContent;
    if (before === button.dataset.done) return;
    label.textContent = button.dataset.done;
    setTimeout(() => { label.textContent = before; }, SHOWN_MS);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });
})();
