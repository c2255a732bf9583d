// Draws the plane of fit and interest, and lets its cuts be moved. All numbers come from the
// server: bins or dots of the part in sight, and, through the form, the figures beside it.
(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const EDGE = { left: 46, right: 14, top: 10, bottom: 40 };
  const LEVELS = 8;
  const CLOSER = 3; // how much one step of zooming shows less
  const LEAST_SPAN = 0.5; // points
  const SETTLE_MS = 250; // after the last move of a line

  const place = document.getElementById("plane");
  const form = document.getElementById("quadrant-form");
  const reading = document.getElementById("plane-reading");
  if (!place || !form) return;
  const plane = JSON.parse(document.getElementById("plane-data").textContent);
  const { words } = plane;
  const CUTS = ["fit_cut", "interest_cut", "threshold"];
  const RANGES = {
    fit_cut: plane.fit,
    interest_cut: plane.interest,
    threshold: [plane.fit[0] + plane.interest[0], plane.fit[1] + plane.interest[1]],
  };
  let view = { fit: plane.fit, interest: plane.interest };
  let picture = { bins: [], columns: 1, rows: 1, dots: null, fit: plane.fit, interest: plane.interest, count: 0 };
  let asked = 0;
  let settling = 0;

  const input = (name) => form.elements.namedItem(name);
  const cutOf = (name) => {
    const value = Number.parseFloat(input(name).value);
    return Number.isFinite(value) ? value : plane.cuts[name];
  };
  const clamp = (value, [low, high]) => Math.min(high, Math.max(low, value));
  const span = ([low, high]) => high - low;
  const shown = (value) => Number(value.toFixed(2)).toLocaleString(document.documentElement.lang);

  function element(name, attributes, ...children) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  // --- Between points and pixels ---------------------------------------------

  function scales() {
    const width = Math.max(260, place.clientWidth);
    const height = Math.round(clamp(width * 0.72, [260, 540]));
    const right = width - EDGE.right, bottom = height - EDGE.bottom;
    return {
      width, height, right, bottom,
      x: (fit) => EDGE.left + ((fit - view.fit[0]) / span(view.fit)) * (right - EDGE.left),
      y: (interest) => bottom - ((interest - view.interest[0]) / span(view.interest)) * (bottom - EDGE.top),
      fit: (x) => view.fit[0] + ((x - EDGE.left) / (right - EDGE.left)) * span(view.fit),
      interest: (y) => view.interest[0] + ((bottom - y) / (bottom - EDGE.top)) * span(view.interest),
    };
  }

  function pointOf(event, at) {
    const box = place.firstElementChild.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * at.width;
    const y = ((event.clientY - box.top) / box.height) * at.height;
    return { fit: at.fit(x), interest: at.interest(y) };
  }

  function ticks([low, high], most) {
    const rough = (high - low) / most;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
    const found = [];
    for (let n = Math.ceil(low / step); n * step <= high; n += 1) found.push(n * step);
    return found;
  }

  // --- Drawing ----------------------------------------------------------------

  function draw() {
    const focused = document.activeElement?.dataset?.cut;
    const at = scales();
    const svg = element("svg", {
      viewBox: `0 0 ${at.width} ${at.height}`, height: at.height, role: "group", "aria-label": place.dataset.label,
    });
    const clip = element("clipPath", { id: "plane-clip" }, element("rect", inside(at)));
    svg.append(element("defs", {}, clip), ground(at), best(at), leads(at), axes(at), ...CUTS.map((name) => cut(name, at)));
    place.replaceChildren(svg);
    if (focused) place.querySelector(`[data-cut="${focused}"]`)?.focus();
  }

  const inside = (at) => ({ x: EDGE.left, y: EDGE.top, width: at.right - EDGE.left, height: at.bottom - EDGE.top });

  function ground(at) {
    const made = element("rect", { ...inside(at), class: "ground" });
    made.addEventListener("click", (event) => closer(1 / CLOSER, pointOf(event, at)));
    made.addEventListener("pointermove", (event) => read(pointOf(event, at)));
    made.addEventListener("pointerleave", quiet);
    return made;
  }

  // Where leads are promising: right of and above both cuts, and beyond the threshold.
  function best(at) {
    const [fit, interest, threshold] = CUTS.map(cutOf);
    const top = view.interest[1], end = view.fit[1];
    const low = Math.max(interest, threshold - end), left = Math.max(fit, threshold - top);
    const corners = [[left, top], [end, top], [end, low], [Math.max(fit, threshold - low), low], [left, Math.max(low, threshold - left)]];
    const points = corners.map(([x, y]) => `${at.x(x)},${at.y(y)}`).join(" ");
    return element("g", { "clip-path": "url(#plane-clip)" }, element("polygon", { points, class: "both" }));
  }

  function leads(at) {
    const label = `${place.dataset.label} ${picture.count.toLocaleString(document.documentElement.lang)}`;
    const made = element("g", { "clip-path": "url(#plane-clip)" });
    if (picture.dots) made.append(...picture.dots.map((dot) => oneLead(dot, at)));
    else made.append(element("g", { class: "bins", role: "img", "aria-label": label }, ...bins(at)));
    return made;
  }

  // One path for each shade: thousands of bins are eight elements.
  function bins(at) {
    const most = Math.log1p(Math.max(1, ...picture.bins.map(([, , n]) => n)));
    const wide = span(picture.fit) / picture.columns, high = span(picture.interest) / picture.rows;
    const paths = Array.from({ length: LEVELS }, () => []);
    for (const [column, row, n] of picture.bins) {
      const x = at.x(picture.fit[0] + column * wide), y = at.y(picture.interest[0] + (row + 1) * high);
      const right = at.x(picture.fit[0] + (column + 1) * wide), bottom = at.y(picture.interest[0] + row * high);
      const level = Math.min(LEVELS - 1, Math.floor((Math.log1p(n) / most) * LEVELS));
      paths[level].push(`M${x.toFixed(1)} ${y.toFixed(1)}H${(right - 0.5).toFixed(1)}V${(bottom - 0.5).toFixed(1)}H${x.toFixed(1)}Z`);
    }
    return paths.map((parts, level) => element("path", { class: `bin-${level + 1}`, d: parts.join("") || "M0 0" }));
  }

  function oneLead([pk, name, fit, interest], at) {
    const sentence = `${name}: ${words.fit} ${shown(fit)}, ${words.interest} ${shown(interest)}`;
    const dot = element("circle", { class: "dot", cx: at.x(fit), cy: at.y(interest), r: 5 });
    dot.append(element("title", {}, sentence));
    const link = element("a", { href: place.dataset.lead.replace("/0/", `/${pk}/`), "aria-label": sentence }, dot);
    for (const kind of ["pointerenter", "focus"]) link.addEventListener(kind, () => { reading.textContent = sentence; });
    return link;
  }

  function axes(at) {
    const made = element("g", {}, element("rect", { ...inside(at), class: "frame", "pointer-events": "none" }));
    for (const fit of ticks(view.fit, at.width / 70)) {
      made.append(element("text", { x: at.x(fit), y: at.bottom + 16, "text-anchor": "middle" }, shown(fit)));
    }
    for (const interest of ticks(view.interest, at.height / 50)) {
      made.append(element("text", { x: EDGE.left - 6, y: at.y(interest) + 4, "text-anchor": "end" }, shown(interest)));
    }
    made.append(
      element("text", { x: at.right, y: at.height - 6, "text-anchor": "end", class: "axis-name" }, `${words.fit} →`),
      element("text", { x: 0, y: 0, transform: `translate(12 ${EDGE.top}) rotate(-90)`, "text-anchor": "end", class: "axis-name" }, `${words.interest} →`),
    );
    return made;
  }

  // --- The lines that can be moved -------------------------------------------

  function ends(name, value, at) {
    const { fit, interest } = view;
    if (name === "fit_cut") return [at.x(value), EDGE.top, at.x(value), at.bottom];
    if (name === "interest_cut") return [EDGE.left, at.y(value), at.right, at.y(value)];
    const from = clamp(value - interest[1], fit), to = clamp(value - interest[0], fit);
    return [at.x(from), at.y(value - from), at.x(to), at.y(value - to)];
  }

  const isInSight = ([x1, y1, x2, y2], at) =>
    Math.max(x1, x2) >= EDGE.left - 1 && Math.min(x1, x2) <= at.right + 1 && Math.max(y1, y2) >= EDGE.top - 1 && Math.min(y1, y2) <= at.bottom + 1;

  function cut(name, at) {
    const value = cutOf(name);
    const line = ends(name, value, at);
    const [x1, y1, x2, y2] = line;
    const along = { fit_cut: 0.12, interest_cut: 0.9, threshold: 0.5 }[name];
    const made = element("g", {
      class: `cut ${name}`, role: "slider", tabindex: "0", "data-cut": name, "aria-label": words[name],
      "aria-valuemin": RANGES[name][0], "aria-valuemax": RANGES[name][1], "aria-valuenow": value, "aria-valuetext": shown(value),
      "aria-orientation": name === "fit_cut" ? "horizontal" : "vertical",
    });
    made.append(element("title", {}, `${words[name]}: ${shown(value)}`));
    if (isInSight(line, at)) {
      const ray = { x1, y1, x2, y2 };
      const knob = { cx: x1 + (x2 - x1) * along, cy: y1 + (y2 - y1) * along, r: 7, class: "knob" };
      made.append(element("line", { ...ray, class: "grip" }), element("line", { ...ray, class: "line" }), element("circle", knob));
    }
    made.addEventListener("pointerdown", (event) => drag(event, name));
    made.addEventListener("keydown", (event) => step(event, name));
    made.addEventListener("focus", () => { reading.textContent = `${words[name]}: ${shown(cutOf(name))}`; });
    return made;
  }

  function drag(event, name) {
    if (event.button) return;
    event.preventDefault();
    place.querySelector(`[data-cut="${name}"]`).focus();
    const move = (moved) => {
      const { fit, interest } = pointOf(moved, scales());
      const fine = span(view.fit) < 10 ? 10 : 1; // tenths when looking closely
      const wanted = { fit_cut: fit, interest_cut: interest, threshold: fit + interest }[name];
      setCut(name, Math.round(wanted * fine) / fine);
    };
    const end = () => {
      document.removeEventListener("pointermove", move);
      document.removeEventListener("pointerup", end);
      document.removeEventListener("pointercancel", end);
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", end);
    document.addEventListener("pointercancel", end);
  }

  function step(event, name) {
    const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
    const [low, high] = RANGES[name];
    const targets = { Home: low, End: high };
    const wanted = event.key in steps ? cutOf(name) + steps[event.key] : targets[event.key];
    if (wanted === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    setCut(name, wanted);
  }

  function setCut(name, wanted) {
    const value = Number(clamp(wanted, RANGES[name]).toFixed(2));
    if (value === cutOf(name)) return;
    input(name).value = value === plane.cuts[name] ? "" : value;
    reading.textContent = `${words[name]}: ${shown(value)}`;
    draw();
    clearTimeout(settling);
    settling = setTimeout(() => form.requestSubmit(), SETTLE_MS);
  }

  // --- What is in sight --------------------------------------------------------

  function around(whole, from, middle, factor) {
    const wide = clamp(span(from) * factor, [Math.min(LEAST_SPAN, span(whole)), span(whole)]);
    const low = clamp(middle - wide / 2, [whole[0], whole[1] - wide]);
    return [Number(low.toFixed(2)), Number((low + wide).toFixed(2))];
  }

  function closer(factor, point) {
    const middle = point || { fit: (view.fit[0] + view.fit[1]) / 2, interest: (view.interest[0] + view.interest[1]) / 2 };
    view = {
      fit: around(plane.fit, view.fit, middle.fit, factor),
      interest: around(plane.interest, view.interest, middle.interest, factor),
    };
    draw();
    load();
  }

  async function load() {
    const number = ++asked;
    const query = new URLSearchParams([...new FormData(form)].filter(([name, value]) => value && !CUTS.includes(name)));
    query.set("fit_from", view.fit[0]);
    query.set("fit_to", view.fit[1]);
    query.set("interest_from", view.interest[0]);
    query.set("interest_to", view.interest[1]);
    try {
      const response = await fetch(`${place.dataset.picture}?${query}`);
      if (!response.ok) throw new Error(`The server answered ${response.status}.`);
      const found = await response.json();
      if (number !== asked) return; // a later view is on its way
      picture = found;
      place.dataset.count = found.count;
      draw();
      quiet();
    } catch {
      if (number === asked) document.dispatchEvent(new CustomEvent("htmx:error"));
    }
  }

  function read({ fit, interest }) {
    if (picture.dots) return;
    const wide = span(picture.fit) / picture.columns, high = span(picture.interest) / picture.rows;
    const column = Math.floor((fit - picture.fit[0]) / wide), row = Math.floor((interest - picture.interest[0]) / high);
    const n = picture.bins.find(([c, r]) => c === column && r === row)?.[2] ?? 0;
    const from = (axis, at, size) => `${shown(picture[axis][0] + at * size)} … ${shown(picture[axis][0] + (at + 1) * size)}`;
    reading.textContent = words.bin.replace("%(fit)s", from("fit", column, wide)).replace("%(interest)s", from("interest", row, high)).replace("%(n)s", n);
  }

  function quiet() { reading.textContent = reading.dataset.quiet; }

  // --- Life --------------------------------------------------------------------

  const ownCuts = form.querySelector("[data-own-cuts]");
  const showOwnCuts = () => { ownCuts.hidden = !CUTS.some((name) => input(name).value !== ""); };
  ownCuts.addEventListener("click", () => {
    for (const name of CUTS) input(name).value = "";
    draw();
    form.requestSubmit();
  });
  const zoom = document.querySelector("[data-zoom]");
  zoom.hidden = false;
  zoom.addEventListener("click", (event) => {
    const factor = { in: 1 / CLOSER, out: CLOSER, whole: Infinity }[event.target.closest("[data-zoom-by]")?.dataset.zoomBy];
    if (factor) closer(factor);
  });
  form.addEventListener("submit", showOwnCuts);
  form.addEventListener("change", (event) => (CUTS.includes(event.target.name) ? draw() : load()));
  new ResizeObserver(draw).observe(place);
  showOwnCuts();
  quiet();
  load();
})();
