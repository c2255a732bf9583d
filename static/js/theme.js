// Light, dark, or like the device. Runs before anything is painted (no `defer`), so that
// a dark page never flashes light.
(() => {
  "use strict";
  const KEY = "funnel.theme";
  const device = window.matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem(KEY) || "auto";
    } catch {
      return "auto"; // storage is switched off: follow the device
    }
  }

  function apply() {
    const choice = chosen();
    const theme = choice === "auto" ? (device.matches ? "dark" : "light") : choice;
    const root = document.documentElement;
    root.dataset.bsTheme = theme;
    // Django's admin reads this one.
    root.dataset.theme = theme;
    root.dispatchEvent(new CustomEvent("themechange", { bubbles: true, detail: { theme } }));
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
    }
  }

  apply();
  device.addEventListener("change", apply);
  window.addEventListener("storage", (event) => event.key === KEY && apply());
  document.addEventListener("DOMContentLoaded", apply);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-theme-choice]");
    if (!button) return;
    try {
      localStorage.setItem(KEY, button.dataset.themeChoice);
    } catch {
      // Without storage the choice cannot be kept.
    }
    apply();
  });
})();
