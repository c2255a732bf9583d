// The sentence of a mark in the chart of a score, while the mark is pointed at or has the focus.
// Each mark has it as its title, too.
(() => {
  "use strict";
  const show = (event) => {
    const mark = event.target.closest?.("[data-tip]");
    const tip = mark?.closest("[data-score-chart]")?.querySelector("output");
    if (tip) tip.textContent = mark.dataset.tip;
  };
  const hide = (event) => {
    const mark = event.target.closest?.("[data-tip]");
    const tip = mark?.closest("[data-score-chart]")?.querySelector("output");
    if (tip) tip.textContent = tip.dataset.quiet;
  };
  for (const kind of ["pointerover", "focusin"]) document.addEventListener(kind, show);
  for (const kind of ["pointerout", "focusout"]) document.addEventListener(kind, hide);
})();
