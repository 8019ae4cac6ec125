/* Tables: sorting, searching, filtering, thousands of rows a part at a time. What is chosen is in the address. */
"use strict";
(() => {
  const { make, chosen, choose, printing } = report;
  const PAGE = 100;

  function grouped(text) {
    return text.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
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

  /* Buttons in the headings, and the order that the address names. */
  function sortButtons(table, id, sort) {
    const heads = [...table.tHead.rows[0].cells];
    const names = heads.map((head) => head.dataset.name ?? head.textContent.trim());
    let current = null;
    let down = false;
    const show = () => {
      heads.forEach((other) => other.hasAttribute("aria-sort") && other.setAttribute("aria-sort", "none"));
      heads[current].setAttribute("aria-sort", down ? "descending" : "ascending");
      sort(current, down);
    };
    heads.forEach((head, place) => {
      if (!head.textContent.trim()) return;
      const button = make("button", { type: "button" }, head.textContent);
      head.textContent = "";
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        down = current === place ? !down : false;
        current = place;
        choose(id, "sort", [`${down ? "-" : ""}${names[place]}`]);
        show();
      });
    });
    const [wanted] = chosen(id, "sort");
    if (wanted === undefined) return;
    down = !names.includes(wanted) && wanted.startsWith("-");
    current = names.indexOf(down ? wanted.slice(1) : wanted);
    if (current < 0) current = null;
    else show();
  }

  /* A field to search by, with the words that the address holds. */
  function searchField(name, id, act) {
    const input = make("input", { type: "search", autocomplete: "off", spellcheck: "false" });
    const find = () => { choose(id, "search", input.value ? [input.value] : []); act(input.value); };
    let timer = 0;
    input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(find, 120); });
    const [wanted] = chosen(id, "search");
    if (wanted) { input.value = wanted; act(wanted); }
    return make("label", {}, name, input);
  }

  /* ---- a table that is all in the page ---- */

  function plainTable(table) {
    const body = table.tBodies[0];
    const { id } = table.closest(".table");
    const numeric = [...table.tHead.rows[0].cells].map((head) => head.classList.contains("num"));
    const keyOf = (row, place) => {
      const cell = row.cells[place];
      return sortKey(cell.dataset.v ?? cell.textContent, numeric[place] || cell.dataset.v !== undefined && !Number.isNaN(Number(cell.dataset.v)));
    };
    if (body.rows.length > 1) {
      sortButtons(table, id, (place, down) => {
        const rows = [...body.rows].map((row) => [keyOf(row, place), row]);
        rows.sort((a, b) => compare(a[0], b[0], down));
        body.append(...rows.map(([, row]) => row));
      });
    }
    if (body.rows.length > 20) {
      const controls = make("div", { class: "controls" }, searchField("Search in the table", id, (text) => {
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
    const { id } = table.closest(".table");
    const header = Math.max(0, columns.findIndex((column) => !column.numeric));
    const cellOf = (datum) => (Array.isArray(datum) ? datum : [datum, datum === null ? "" : String(datum)]);
    const textOf = (datum) => cellOf(datum)[1];
    let shown = data.rows;
    let at = 0;
    let most = PAGE;
    let order = null;
    let words = [];
    const picked = new Map();
    let contents = null;

    const status = make("span", { role: "status" });
    const back = make("button", { type: "button" }, "Previous");
    const on = make("button", { type: "button" }, "Next");
    const pages = make("div", { class: "pages" }, ...(data.rows.length > PAGE ? [back, on] : []), status);
    table.closest(".scroll").after(pages);

    function draw() {
      const rows = shown.slice(at, at + most).map((row) => {
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
      const last = Math.min(at + most, shown.length);
      const of = shown.length === data.rows.length ? grouped(String(shown.length)) : `${grouped(String(shown.length))} found of ${grouped(String(data.rows.length))}`;
      status.textContent = shown.length ? `${grouped(String(at + 1))} to ${grouped(String(last))} of ${of}` : `nothing found of ${grouped(String(data.rows.length))}`;
      back.disabled = at === 0;
      on.disabled = last >= shown.length;
    }

    function pick() {
      if (words.length && !contents) {
        contents = new Map(data.rows.map((row) => [row, row.map((datum, place) => `${textOf(datum)} ${cellOf(datum)[0] ?? ""}`).join(" ").toLowerCase()]));
      }
      shown = data.rows.filter((row) => {
        for (const [place, wanted] of picked) if (textOf(row[place]) !== wanted) return false;
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

    const showAll = (all) => { most = all ? data.rows.length : PAGE; at = 0; draw(); };
    printing.push([() => showAll(true), () => showAll(false)]);

    back.addEventListener("click", () => { at -= PAGE; draw(); });
    on.addEventListener("click", () => { at += PAGE; draw(); });
    sortButtons(table, id, (place, down) => { order = [place, down]; pick(); });

    const controls = make("div", { class: "controls" }, searchField("Search", id, (text) => {
      words = text.toLowerCase().split(/\s+/).filter(Boolean);
      pick();
    }));
    columns.forEach((column, place) => {
      if (!column.filter) return;
      const values = [...new Set(data.rows.map((row) => textOf(row[place])))].sort(letters.compare);
      if (values.length < 2 || values.length > 200) return;
      const select = make("select", {}, make("option", { value: "" }, "all"));
      values.forEach((value, number) => select.append(make("option", { value: String(number) }, value || "none")));
      const show = () => {
        if (select.value === "") picked.delete(place);
        else picked.set(place, values[Number(select.value)]);
        pick();
      };
      select.addEventListener("change", () => {
        choose(id, column.key, select.value === "" ? [] : [values[Number(select.value)]]);
        show();
      });
      const at = values.indexOf(chosen(id, column.key)[0]);
      if (at >= 0) { select.value = String(at); show(); }
      controls.append(make("label", {}, column.name, select));
    });
    table.closest(".scroll").before(controls);
    draw();
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const table of document.querySelectorAll(".table table")) {
      const source = table.dataset.source;
      if (source) longTable(table, JSON.parse(document.getElementById(source).textContent));
      else plainTable(table);
    }
  });
})();
