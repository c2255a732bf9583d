// Draws the pictures of the funnel page and places its definitions.
// The figures stand in the page as JSON and in tables; without this script nothing is missing.
(() => {
  "use strict";

  const PALETTES = {
    light: {
      stages: ["#27348f", "#3546b8", "#4a5bd0", "#2b7a8c", "#2c8367", "#3d7d3a"],
      text: "#1f2937", quiet: "#5c6675", leak: "#b3261e", onBar: "#ffffff",
      out: "#b9b4c7", drop: "#c8553d", open: "#8a94a6",
    },
    dark: {
      stages: ["#8f9dff", "#7f8ff5", "#7384ea", "#63b3c6", "#63bd9b", "#86bd74"],
      text: "#e5e9f2", quiet: "#a6b0c3", leak: "#ff9a92", onBar: "#0d1322",
      out: "#5d6780", drop: "#e98a72", open: "#6b7690",
    },
  };
  const BAR_GAP = 34; // room for the sentence between two bars
  const NARROW = 480;

  const palette = () => {
    const theme = document.documentElement.getAttribute("data-bs-theme");
    return PALETTES[theme === "dark" ? "dark" : "light"];
  };
  const fontFamily = () => getComputedStyle(document.body).fontFamily;
  const dataOf = (element) => JSON.parse(document.getElementById(element.dataset.source).textContent);

  function betweenBars(bar, isNarrow) {
    const parts = [`{on|↓ ${bar.moved_on}}`];
    if (bar.of && !isNarrow) parts.push(`{quiet|  ${bar.of}}`);
    if (bar.dropped) parts.push(`{out|   ${bar.dropped}}`);
    return parts.join("");
  }

  // Widths fall in fixed steps: proportional bars could not be read from 12,400 to 12.
  function funnelOption(bars, size) {
    const colours = palette();
    const isNarrow = size.width < NARROW;
    const barHeight = (size.height - BAR_GAP * (bars.length - 1)) / bars.length;
    // 0 is the lower edge of the last bar, 100 the upper edge of the first.
    const heightOf = (index) => 100 * (1 - index / bars.length);
    return {
      animationDuration: 300,
      textStyle: { fontFamily: fontFamily() },
      series: [{
        type: "funnel", sort: "none", funnelAlign: "center", gap: BAR_GAP,
        left: 0, right: 0, top: 0, bottom: 0, width: "100%", min: 0, max: 100, minSize: isNarrow ? "46%" : "34%", maxSize: "100%",
        label: {
          position: "inside", color: colours.onBar,
          formatter: ({ data }) => `{count|${data.count}}  {name|${data.name}}`,
          rich: {
            count: { fontSize: isNarrow ? 17 : 22, fontWeight: 700, color: colours.onBar },
            name: { fontSize: isNarrow ? 12 : 14, color: colours.onBar },
          },
        },
        itemStyle: { borderWidth: 0 },
        emphasis: { label: { fontWeight: "inherit" } },
        data: bars.map((bar, index) => ({
          value: heightOf(index), name: bar.name, count: bar.count, url: bar.url,
          itemStyle: { color: colours.stages[index] },
          cursor: bar.url ? "pointer" : "default",
        })),
      }],
      graphic: bars.slice(0, -1).map((bar, index) => ({
        type: "text", silent: true,
        x: size.width / 2, y: (index + 1) * barHeight + index * BAR_GAP + BAR_GAP / 2,
        style: {
          text: betweenBars(bar, isNarrow), align: "center", verticalAlign: "middle",
          font: `${isNarrow ? 12 : 13}px ${fontFamily()}`, fill: colours.quiet,
          rich: {
            on: { fontFamily: fontFamily(), fill: colours.text, fontWeight: 600, fontSize: isNarrow ? 12 : 14 },
            quiet: { fontFamily: fontFamily(), fill: colours.quiet, fontSize: isNarrow ? 11 : 13 },
            out: { fontFamily: fontFamily(), fill: colours.leak, fontSize: isNarrow ? 11 : 13 },
          },
        },
      })),
    };
  }

  function flowOption(flow, size) {
    const colours = palette();
    const isNarrow = size.width < NARROW;
    const stages = ["lead", "qualified", "mql", "sal", "sql", "customer"];
    const nameOf = Object.fromEntries(flow.nodes.map((node) => [node.key, node.name]));
    const colourOf = (key) => {
      if (stages.includes(key)) return colours.stages[stages.indexOf(key)];
      return key === "open" ? colours.open : colours.drop;
    };
    return {
      animationDuration: 300,
      textStyle: { fontFamily: fontFamily() },
      series: [{
        type: "sankey", left: 0, right: isNarrow ? 70 : 96, top: 8, bottom: 8,
        nodeGap: 16, nodeWidth: 12, draggable: false, layoutIterations: 64,
        label: { color: colours.text, fontSize: isNarrow ? 10 : 12, textBorderColor: "transparent" },
        lineStyle: { color: "source", opacity: 0.28, curveness: 0.5 },
        emphasis: { focus: "adjacency" },
        data: flow.nodes.map((node) => ({
          name: node.key, itemStyle: { color: colourOf(node.key), borderWidth: 0 },
          label: { formatter: nameOf[node.key] },
        })),
        links: flow.links.map((link) => ({
          ...link,
          lineStyle: stages.includes(link.target) ? {} : { color: colourOf(link.target), opacity: 0.22 },
        })),
      }],
    };
  }

  const OPTIONS = { funnel: funnelOption, flow: flowOption };

  function draw(element) {
    if (!window.echarts || !element.clientWidth) return;
    const size = { width: element.clientWidth, height: element.clientHeight };
    const known = window.echarts.getInstanceByDom(element);
    const chart = known || window.echarts.init(element, null, { renderer: "svg" });
    chart.resize();
    chart.setOption(OPTIONS[element.dataset.chart](dataOf(element), size), true);
    if (known) return;
    chart.on("click", ({ data }) => { if (data?.url) window.location.assign(data.url); });
  }

  const charts = () => document.querySelectorAll("[data-chart]");
  const drawAll = () => charts().forEach(draw);

  const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => draw(target)));
  function watch() {
    sizes.disconnect();
    charts().forEach((element) => sizes.observe(element));
  }

  // Definitions open by click, tap and key without this; here they also open by hovering,
  // and stand beside their button.
  function place(definition, button) {
    const box = button.getBoundingClientRect();
    definition.classList.add("is-placed");
    const left = Math.min(box.left, window.innerWidth - definition.offsetWidth - 16);
    definition.style.left = `${Math.max(8, left) + window.scrollX}px`;
    const below = box.bottom + 6;
    const fits = below + definition.offsetHeight < window.innerHeight;
    definition.style.top = `${(fits ? below : Math.max(8, box.top - definition.offsetHeight - 6)) + window.scrollY}px`;
  }

  function definitionOf(button) {
    return document.getElementById(button.getAttribute("popovertarget"));
  }

  let lastButton = null;
  document.addEventListener("pointerover", (event) => {
    const button = event.target.closest?.(".define");
    if (!button || event.pointerType !== "mouse") return;
    lastButton = button;
    const definition = definitionOf(button);
    if (definition && !definition.matches(":popover-open")) {
      definition.showPopover();
      place(definition, button);
      definition.dataset.hovered = "yes";
    }
  });
  document.addEventListener("pointerout", (event) => {
    const button = event.target.closest?.(".define");
    const definition = button && definitionOf(button);
    if (definition?.dataset.hovered && !definition.contains(event.relatedTarget)) {
      delete definition.dataset.hovered;
      definition.hidePopover();
    }
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".define");
    if (button) {
      lastButton = button;
      delete definitionOf(button)?.dataset.hovered;
    }
  }, true);
  document.addEventListener("toggle", (event) => {
    if (!event.target.classList?.contains("definition")) return;
    if (event.newState === "open" && lastButton) {
      place(event.target, lastButton);
    } else if (event.newState === "closed") {
      // htmx copies attributes of elements it replaces, and may not copy a style.
      event.target.removeAttribute("style");
      event.target.classList.remove("is-placed");
    }
  }, true);

  // The days of a custom period are asked for only when it is chosen.
  function showDays() {
    const period = document.getElementById("filter-period");
    if (!period) return;
    document.querySelectorAll("[data-days]").forEach((field) => {
      field.hidden = period.value !== "custom";
      field.querySelector("input").disabled = field.hidden;
    });
  }
  // Captured, so that the days count before the form answers by itself (shell.js).
  document.addEventListener("change", (event) => {
    if (event.target.id === "filter-period") showDays();
  }, true);

  function start() {
    showDays();
    drawAll();
    watch();
    const swapped = new MutationObserver((changes) => {
      if (changes.some((change) => [...change.addedNodes].some((node) => node.id === "figures"))) {
        drawAll();
        watch();
      }
    });
    const parent = document.getElementById("figures")?.parentElement;
    if (parent) swapped.observe(parent, { childList: true });
    new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  }
  start();
})();
