/* benchsuite's report: sorting, filtering, theme, charts. A page reads well without it.
   Texts from records reach the page through textContent alone. */
"use strict";
(() => {
  const root = document.documentElement;
  const here = document.currentScript.src.replace(/site\.js.*$/, "");
  const PAGE = 100;
  const MINUS = "\u2212";

  function kept(name, value) {
    try {
      if (value === undefined) return localStorage.getItem(name);
      localStorage.setItem(name, value);
    } catch { /* no storage: the choice lasts as long as the page */ }
    return null;
  }

  const theme = kept("benchsuite-theme");
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;

  function make(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "class") made.className = value;
      else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  /* ---- theme ---- */

  function isDark() {
    const chosen = root.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  function addThemeSwitch() {
    const button = make("button", { type: "button", class: "theme" });
    const show = () => { button.textContent = isDark() ? "Light" : "Dark"; button.setAttribute("aria-label", isDark() ? "Switch to the light theme" : "Switch to the dark theme"); };
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      kept("benchsuite-theme", root.dataset.theme);
      show();
      document.querySelectorAll(".plot[data-drawn]").forEach(drawChart);
    });
    show();
    document.querySelector(".top").append(button);
  }

  function grouped(text) {
    return text.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  }

  /* Values under the pointer, read off a drawing: no figure of the report is formatted here. */
  function short(value, digits) {
    return String(Number(value.toPrecision(digits))).replace("-", MINUS);
  }

  /* ---- order: numbers by size, texts by their letters and numbers, nothing and NaN last ---- */

  const letters = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  function sortKey(value, numeric) {
    if (value === null || value === "") return null;
    if (!numeric) return String(value);
    const number = Number(value);
    return Number.isNaN(number) ? null : number;
  }

  function compare(a, b, down) {
    if (a === null || b === null) return (a === null) - (b === null);
    const order = typeof a === "number" && typeof b === "number" ? a - b : letters.compare(a, b);
    return down ? -order : order;
  }

  function sortButtons(table, sort) {
    const heads = [...table.tHead.rows[0].cells];
    let current = null;
    let down = false;
    heads.forEach((head, place) => {
      if (!head.textContent.trim()) return;
      const button = make("button", { type: "button" }, head.textContent);
      head.textContent = "";
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        down = current === place ? !down : false;
        current = place;
        heads.forEach((other) => other.hasAttribute("aria-sort") && other.setAttribute("aria-sort", "none"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        sort(place, down);
      });
    });
  }

  function searchField(name, act) {
    const input = make("input", { type: "search", autocomplete: "off", spellcheck: "false" });
    let timer = 0;
    input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => act(input.value), 120); });
    return make("label", {}, name, input);
  }

  /* ---- a table that is all in the page ---- */

  function plainTable(table) {
    const body = table.tBodies[0];
    const numeric = [...table.tHead.rows[0].cells].map((head) => head.classList.contains("num"));
    const keyOf = (row, place) => {
      const cell = row.cells[place];
      return sortKey(cell.dataset.v ?? cell.textContent, numeric[place] || cell.dataset.v !== undefined && !Number.isNaN(Number(cell.dataset.v)));
    };
    if (body.rows.length > 1) {
      sortButtons(table, (place, down) => {
        const rows = [...body.rows].map((row) => [keyOf(row, place), row]);
        rows.sort((a, b) => compare(a[0], b[0], down));
        body.append(...rows.map(([, row]) => row));
      });
    }
    if (body.rows.length > 20) {
      const controls = make("div", { class: "controls" }, searchField("Search in the table", (text) => {
        const words = text.toLowerCase().split(/\s+/).filter(Boolean);
        for (const row of body.rows) {
          const content = row.textContent.toLowerCase();
          row.hidden = !words.every((word) => content.includes(word));
        }
      }));
      table.closest(".scroll").before(controls);
    }
  }

  /* ---- a table of thousands of rows: a page of it at a time ---- */

  function longTable(table, data) {
    const columns = data.columns;
    const header = Math.max(0, columns.findIndex((column) => !column.numeric));
    const cellOf = (datum) => (Array.isArray(datum) ? datum : [datum, datum === null ? "" : String(datum)]);
    const textOf = (datum) => cellOf(datum)[1];
    let shown = data.rows;
    let at = 0;
    let order = null;
    let words = [];
    const chosen = new Map();
    let contents = null;

    const status = make("span", { role: "status" });
    const back = make("button", { type: "button" }, "Previous");
    const on = make("button", { type: "button" }, "Next");
    const pages = make("div", { class: "pages" }, ...(data.rows.length > PAGE ? [back, on] : []), status);
    table.closest(".scroll").after(pages);

    function draw() {
      const rows = shown.slice(at, at + PAGE).map((row) => {
        const made = document.createElement("tr");
        row.forEach((datum, place) => {
          const [value, , address, mark, title] = cellOf(datum);
          const cell = document.createElement(place === header ? "th" : "td");
          if (place === header) cell.scope = "row";
          const text = textOf(datum);
          if (address) cell.append(make("a", { href: address }, text));
          else cell.textContent = text;
          cell.className = [columns[place].numeric ? "num" : "", value === null && !text ? "" : mark, text.length > 36 ? "long" : ""].filter(Boolean).join(" ");
          if (title) cell.title = title;
          made.append(cell);
        });
        return made;
      });
      table.tBodies[0].replaceChildren(...rows);
      const last = Math.min(at + PAGE, shown.length);
      const of = shown.length === data.rows.length ? grouped(String(shown.length)) : `${grouped(String(shown.length))} found of ${grouped(String(data.rows.length))}`;
      status.textContent = shown.length ? `${grouped(String(at + 1))} to ${grouped(String(last))} of ${of}` : `nothing found of ${grouped(String(data.rows.length))}`;
      back.disabled = at === 0;
      on.disabled = last >= shown.length;
    }

    function choose() {
      if (words.length && !contents) {
        contents = new Map(data.rows.map((row) => [row, row.map((datum, place) => `${textOf(datum)} ${cellOf(datum)[0] ?? ""}`).join(" ").toLowerCase()]));
      }
      shown = data.rows.filter((row) => {
        for (const [place, wanted] of chosen) if (textOf(row[place]) !== wanted) return false;
        return words.every((word) => contents.get(row).includes(word));
      });
      if (order) {
        const [place, down] = order;
        const keyed = shown.map((row) => [sortKey(cellOf(row[place])[0], columns[place].numeric), row]);
        keyed.sort((a, b) => compare(a[0], b[0], down));
        shown = keyed.map(([, row]) => row);
      }
      at = 0;
      draw();
    }

    back.addEventListener("click", () => { at -= PAGE; draw(); });
    on.addEventListener("click", () => { at += PAGE; draw(); });
    sortButtons(table, (place, down) => { order = [place, down]; choose(); });

    const controls = make("div", { class: "controls" }, searchField("Search", (text) => {
      words = text.toLowerCase().split(/\s+/).filter(Boolean);
      choose();
    }));
    columns.forEach((column, place) => {
      if (!column.filter) return;
      const values = [...new Set(data.rows.map((row) => textOf(row[place])))].sort(letters.compare);
      if (values.length < 2 || values.length > 200) return;
      const select = make("select", {}, make("option", { value: "" }, "all"));
      values.forEach((value, number) => select.append(make("option", { value: String(number) }, value || "none")));
      select.addEventListener("change", () => {
        if (select.value === "") chosen.delete(place);
        else chosen.set(place, values[Number(select.value)]);
        choose();
      });
      controls.append(make("label", {}, column.name, select));
    });
    table.closest(".scroll").before(controls);
    draw();
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

  async function drawChart(plot) {
    plot.dataset.begun = "";
    const spec = JSON.parse(document.getElementById(plot.dataset.spec).textContent);
    const own = (name) => getComputedStyle(root).getPropertyValue(name).trim();
    const range = ["--c0", "--c1", "--c2", "--c3", "--c4", "--c5", "--c6", "--c7"].map(own);
    try {
      await loadLibrary();
      await window.vegaEmbed(plot, spec, {
        actions: false, ast: true, renderer: "svg", tooltip: chartTip, defaultStyle: false, mode: "vega-lite",
        config: { background: null, font: getComputedStyle(document.body).fontFamily, view: { stroke: null }, range: { category: range },
          axis: { labelFontSize: 11, titleFontSize: 11, titleFontWeight: 500, gridWidth: 1 }, legend: { labelFontSize: 11, titleFontSize: 11, titleFontWeight: 500, orient: "top", titleOrient: "left", symbolSize: 60, columnPadding: 14, symbolBaseFillColor: own("--muted"), symbolBaseStrokeColor: own("--muted"),
            layout: { top: { direction: "vertical", anchor: "start", margin: 3 } } }, header: { labelFontSize: 12, titleFontSize: 12 } },
      });
      plot.style.minHeight = "0";
      plot.dataset.drawn = "";
    } catch (error) {
      plot.replaceChildren(make("p", { class: "note" }, `This chart could not be drawn (${error.message}).`));
    }
  }

  /* ---- plain curves: values under the pointer ---- */

  function curve(svg) {
    const [x0, x1, y0, y1] = ["x0", "x1", "y0", "y1"].map((name) => Number(svg.dataset[name]));
    const log = svg.dataset.log === "1";
    const box = svg.viewBox.baseVal;
    const [left, right, top, bottom] = [46, 8, 8, 32];
    const lines = [...svg.querySelectorAll("polyline")].map((line) => [line.dataset.name, [...line.points]]);
    const cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
    cursor.setAttribute("class", "cursor");
    const hide = () => { cursor.remove(); hideTip(); };
    svg.addEventListener("pointermove", (event) => {
      const frame = svg.getBoundingClientRect();
      const at = (event.clientX - frame.left) / frame.width * box.width;
      const rows = [];
      let across = null;
      for (const [name, points] of lines) {
        const near = points.reduce((best, point) => (Math.abs(point.x - at) < Math.abs(best.x - at) ? point : best));
        if (Math.abs(near.x - at) > 40) continue;
        across ??= near.x;
        const share = (box.height - bottom - near.y) / (box.height - top - bottom);
        const value = y0 + share * (y1 - y0);
        rows.push([name, short(log ? 10 ** value : value, 3)]);
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

  /* ---- commands ---- */

  function copyButton(block) {
    const text = block.textContent;
    const button = make("button", { type: "button" }, "Copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text.trim());
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(block.querySelector("code"));
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    block.append(button);
  }

  /* ---- all of it ---- */

  document.addEventListener("DOMContentLoaded", () => {
    addThemeSwitch();
    for (const table of document.querySelectorAll(".table table")) {
      const source = table.dataset.source;
      if (source) longTable(table, JSON.parse(document.getElementById(source).textContent));
      else plainTable(table);
    }
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
    document.querySelectorAll(".curve").forEach(curve);
    document.querySelectorAll(".command").forEach(copyButton);
    const menus = [...document.querySelectorAll(".menu")];
    document.addEventListener("click", (event) => menus.forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; }));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      menus.forEach((menu) => { if (menu.open) { menu.open = false; menu.querySelector("summary").focus(); } });
      hideTip();
    });
    addEventListener("beforeprint", () => {
      plots.forEach((plot) => { if (!("begun" in plot.dataset)) drawChart(plot); });
      document.querySelectorAll("main details").forEach((one) => { one.open = true; });
    });
  });
})();
