/* benchsuite's report: what all pages share. A page reads well without any script.
   Texts from records reach the page through textContent alone. tables.js and charts.js add to `report`. */
"use strict";
const report = (() => {
  const root = document.documentElement;
  const here = document.currentScript.src.replace(/site\.js.*$/, "");

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

  /* ---- what is chosen on the page, as part of its address: #table.sort=-metric&table.backend=torch ---- */

  const view = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");

  /* The values that were chosen of a thing: none, one or several. */
  function chosen(id, name) { return view.getAll(`${id}.${name}`); }

  function choose(id, name, values) {
    const key = `${id}.${name}`;
    view.delete(key);
    for (const value of values) view.append(key, value);
    const text = view.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  }

  /* Show what the address names. */
  function goToView() {
    const [first] = view.keys();
    const place = first && document.getElementById(first.slice(0, first.indexOf(".")));
    if (!place) return;
    for (let around = place.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
    place.scrollIntoView();
  }

  /* ---- theme ---- */

  function isDark() {
    const own = root.dataset.theme;
    return own ? own === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  function addThemeSwitch() {
    const button = make("button", { type: "button", class: "theme" });
    const show = () => { button.textContent = isDark() ? "Light" : "Dark"; button.setAttribute("aria-label", isDark() ? "Switch to the light theme" : "Switch to the dark theme"); };
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      kept("benchsuite-theme", root.dataset.theme);
      show();
    });
    show();
    document.querySelector(".top").append(button);
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

  /* ---- paper: all rows, nothing folded ---- */

  const printing = [];  /* pairs of functions: before and after */

  function foldOut() {
    const folded = [...document.querySelectorAll("main details:not([open])")];
    printing.push([() => folded.forEach((one) => { one.open = true; }), () => folded.forEach((one) => { one.open = false; })]);
    addEventListener("beforeprint", () => printing.forEach(([before]) => before()));
    addEventListener("afterprint", () => printing.forEach(([, after]) => after()));
  }

  /* ---- all of it ---- */

  document.addEventListener("DOMContentLoaded", () => {
    addThemeSwitch();
    document.querySelectorAll(".command").forEach(copyButton);
    const menus = [...document.querySelectorAll(".menu")];
    document.addEventListener("click", (event) => menus.forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; }));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      menus.forEach((menu) => { if (menu.open) { menu.open = false; menu.querySelector("summary").focus(); } });
    });
    foldOut();
    addEventListener("hashchange", () => { if (location.hash.includes("=")) location.reload(); });
    setTimeout(goToView);
  });

  return { root, here, make, chosen, choose, printing };
})();
