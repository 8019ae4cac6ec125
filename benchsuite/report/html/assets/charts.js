/* Charts: Vega-Lite's when they come into sight, plain curves with values under the pointer, legends that switch. */
"use strict";
(() => {
  const { root, here, make, chosen, choose } = report;
  const MINUS = "\u2212";

  /* Values under the pointer, read off a drawing: no figure of the report is formatted here. */
  function short(value, digits) {
    return String(Number(value.toPrecision(digits))).replace("-", MINUS);
  }

  /* ---- tooltips ---- */

  let tip = null;

  function showTip(lines, x, y) {
    if (!tip) {
      tip = make("div", { class: "tip" });
      document.body.append(tip);
    }
    tip.hidden = false;
    tip.replaceChildren(...lines.map(([name, value]) => make("div", {}, ...(name ? [make("b", {}, name)] : []), make("span", {}, value))));
    const width = tip.offsetWidth;
    tip.style.left = `${Math.max(scrollX + 4, Math.min(x + 14, scrollX + root.clientWidth - width - 6))}px`;
    tip.style.top = `${y + 16}px`;
  }

  function hideTip() { if (tip) tip.hidden = true; }

  function chartTip(handler, event, item, value) {
    if (value === null || value === undefined || value === "") { hideTip(); return; }
    const lines = typeof value === "object" ? Object.entries(value).map(([name, one]) => [name, String(one)]) : [["", String(value)]];
    showTip(lines, event.pageX, event.pageY);
  }

  /* ---- Vega-Lite charts, when they come into sight ---- */

  let library = null;

  function loadLibrary() {
    library ??= new Promise((done, failed) => {
      const script = make("script", { src: `${here}vega.js` });
      script.addEventListener("load", done);
      script.addEventListener("error", () => failed(new Error("assets/vega.js is missing")));
      document.head.append(script);
    });
    return library;
  }

  const COLOURS = 8;

  /* A specification for this page: its colours by name, so that they follow the theme and are dark on paper; and
     no legend of a field that the page has switches for. */
  function forPage(text, fields) {
    const own = getComputedStyle(root);
    const names = new Map();
    for (let at = 0; at < COLOURS; at += 1) names.set(own.getPropertyValue(`--light-c${at}`).trim(), `var(--c${at})`);
    return JSON.parse(text, (key, value) => {
      if (typeof value === "string") return names.get(value) ?? value;
      if (value && typeof value === "object" && fields.has(value.field) && "legend" in value) value.legend = null;
      return value;
    });
  }

  async function drawChart(plot) {
    plot.dataset.begun = "";
    const keys = keysOf(plot);
    const spec = forPage(document.getElementById(plot.dataset.spec).textContent, new Set(keys.map((key) => key.dataset.field)));
    for (const key of keys.filter((one) => one.classList.contains("off"))) {
      const { field, name } = key.dataset;
      for (const [set, rows] of Object.entries(spec.datasets ?? {})) spec.datasets[set] = rows.filter((row) => String(row[field]) !== name);
    }
    const range = Array.from({ length: COLOURS }, (_, at) => `var(--c${at})`);
    try {
      await loadLibrary();
      await window.vegaEmbed(plot, spec, {
        actions: false, ast: true, renderer: "svg", tooltip: chartTip, defaultStyle: false, mode: "vega-lite",
        config: { background: null, font: getComputedStyle(document.body).fontFamily, view: { stroke: null }, range: { category: range }, mark: { color: "var(--c6)" },
          axis: { labelFontSize: 11, titleFontSize: 11, titleFontWeight: 500, gridWidth: 1 }, legend: { labelFontSize: 11, titleFontSize: 11, titleFontWeight: 500, orient: "top", titleOrient: "left", symbolSize: 60, columnPadding: 14, symbolBaseFillColor: "var(--muted)", symbolBaseStrokeColor: "var(--muted)",
            layout: { top: { direction: "vertical", anchor: "start", margin: 3 } } }, header: { labelFontSize: 12, titleFontSize: 12 } },
      });
      plot.style.minHeight = "0";
      plot.dataset.drawn = "";
    } catch (error) {
      plot.replaceChildren(make("p", { class: "note" }, `This chart could not be drawn (${error.message}).`));
    }
  }

  /* ---- legends: names that hide and show what they name ---- */

  function keysOf(drawing) {
    return [...(drawing.closest("figure, .drawing")?.querySelectorAll(":scope > .legend > .key") ?? [])];
  }

  function switches(list) {
    const box = list.closest("figure, .drawing");
    const id = box.id;
    const keys = [...list.children];
    const hidden = new Set(id ? chosen(id, "hide") : []);
    const show = () => {
      for (const key of keys) {
        const off = hidden.has(key.dataset.name);
        key.classList.toggle("off", off);
        key.firstChild.setAttribute("aria-pressed", String(!off));
        if (key.dataset.field !== "line") continue;  // a chart's rows are filtered; of a drawing a place names the line
        for (const one of box.querySelectorAll(`.curve .c${key.dataset.name}`)) one.toggleAttribute("hidden", off);
      }
    };
    for (const key of keys) {
      const button = make("button", { type: "button" }, ...key.childNodes);
      key.append(button);
      button.addEventListener("click", () => {
        const { name } = key.dataset;
        if (!hidden.delete(name)) hidden.add(name);
        if (hidden.size === keys.length) hidden.clear();
        if (id) choose(id, "hide", [...hidden]);
        show();
        const plot = box.querySelector(":scope > .plot");
        if (plot && "begun" in plot.dataset) drawChart(plot);
      });
    }
    show();
  }

  /* ---- plain curves: values under the pointer ---- */

  function curve(svg) {
    const [x0, x1, y0, y1] = ["x0", "x1", "y0", "y1"].map((name) => Number(svg.dataset[name]));
    const log = svg.dataset.log === "1";
    const box = svg.viewBox.baseVal;
    const [left, right, top, bottom] = [46, 8, 8, 32];
    const lines = [...svg.querySelectorAll("polyline")].map((line) => [line, [...line.points]]);
    const cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
    cursor.setAttribute("class", "cursor");
    const hide = () => { cursor.remove(); hideTip(); };
    svg.addEventListener("pointermove", (event) => {
      const frame = svg.getBoundingClientRect();
      const at = (event.clientX - frame.left) / frame.width * box.width;
      const rows = [];
      let across = null;
      for (const [line, points] of lines) {
        if (line.hasAttribute("hidden")) continue;
        const near = points.reduce((best, point) => (Math.abs(point.x - at) < Math.abs(best.x - at) ? point : best));
        if (Math.abs(near.x - at) > 40) continue;
        across ??= near.x;
        const share = (box.height - bottom - near.y) / (box.height - top - bottom);
        const value = y0 + share * (y1 - y0);
        rows.push([line.dataset.name, short(log ? 10 ** value : value, 3)]);
      }
      if (!rows.length) { hide(); return; }
      const x = x0 + (across - left) / (box.width - left - right) * (x1 - x0);
      rows.unshift(["at", "dates" in svg.dataset ? new Date(1000 * x).toISOString().slice(0, 10) : short(x, 4)]);
      for (const [name, value] of Object.entries({ x1: across, x2: across, y1: top, y2: box.height - bottom })) cursor.setAttribute(name, value);
      svg.append(cursor);
      showTip(rows, event.pageX, event.pageY);
    });
    svg.addEventListener("pointerleave", hide);
  }

  /* ---- all of it ---- */

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".legend").forEach(switches);
    const plots = [...document.querySelectorAll(".plot[data-spec]")];
    const watcher = new IntersectionObserver((seen) => {
      for (const one of seen) {
        if (!one.isIntersecting) continue;
        watcher.unobserve(one.target);
        if (!("begun" in one.target.dataset)) drawChart(one.target);
      }
    }, { rootMargin: "400px" });
    plots.forEach((plot) => watcher.observe(plot));
    const idle = window.requestIdleCallback ?? ((act) => setTimeout(act, 200));
    const drawRest = async () => {  // so that a page which is printed or searched has all of them
      const next = plots.find((plot) => !("begun" in plot.dataset) && plot.offsetParent);
      if (!next) return;
      await drawChart(next);
      idle(drawRest);
    };
    addEventListener("load", () => idle(drawRest));
    addEventListener("beforeprint", () => plots.forEach((plot) => { if (!("begun" in plot.dataset)) drawChart(plot); }));
    document.querySelectorAll(".curve").forEach(curve);
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
  });
})();
