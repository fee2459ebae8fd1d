// Sorting, filters and search for the tables of msalib/pages/sortable.py, which are whole without it.
(() => {
  const NUMBER = /^[+-]?(\d[\d,]*)?\.?\d+(e[+-]?\d+)?\s*(%|±.*)?$/i;
  const EMPTY = /^[-–—]?$/;
  const collator = new Intl.Collator("en", { numeric: true }); // C2 before C10

  const text = (node) => node.textContent.replace(/\s+/g, " ").trim();
  const slug = (words) =>
    words.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim().replaceAll(" ", "-");
  const create = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const button = (action, ...content) => {
    const node = create("button", { type: "button" }, ...content);
    node.addEventListener("click", action);
    return node;
  };
  const decode = (hash) => {
    try { return decodeURIComponent(hash.slice(1)); } catch { return ""; }
  };

  // What a cell is sorted by: a number if it reads as one, else its text.
  const key = (node) => {
    const ordered = node.matches("[data-order]") ? node : node.querySelector("[data-order]");
    const words = (ordered ? ordered.dataset.order : text(node)).replace("−", "-");
    return NUMBER.test(words) ? parseFloat(words.replaceAll(",", "")) : words;
  };

  // Numbers come before texts, and what is empty comes last in either direction.
  const compare = (a, b, direction = 1) => {
    const last = EMPTY.test(a) - EMPTY.test(b);
    if (last) return last;
    if (typeof a !== typeof b) return direction * (typeof a === "number" ? -1 : 1);
    return direction * (typeof a === "number" ? a - b : collator.compare(a, b));
  };

  const enhance = (box) => {
    const body = box.querySelector("tbody");
    const rows = [...body.rows]; // in the order of the page
    const heads = [...box.querySelectorAll("thead th")];
    const count = create("p", { class: "msa-count", "aria-live": "polite" });
    const group = { class: "msa-controls", role: "group", "aria-label": "Filters" };
    const controls = create("div", group);
    const fields = []; // name in the address, select or input, whether a row passes

    const show = () => {
      const active = fields.filter(({ field }) => field.value);
      for (const row of rows) row.hidden = !active.every(({ passes }) => passes(row));
      count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
    };
    const changed = () => {
      show();
      const url = new URL(location.href);
      for (const { name, field } of fields) {
        url.searchParams.delete(name);
        const value = field.options ? slug(field.value) : field.value;
        if (value) url.searchParams.set(name, value);
      }
      try { history.replaceState(history.state, "", url); } catch { /* refused for a file */ }
    };
    const sort = (head) => {
      const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
      const keys = new Map(rows.map((row) => [row, key(row.cells[head.cellIndex])]));
      body.append(...[...body.rows].sort((a, b) => compare(keys.get(a), keys.get(b), direction)));
    };
    const reset = () => {
      for (const head of heads) head.removeAttribute("aria-sort");
      body.append(...rows);
      for (const { field } of fields) field.value = "";
      changed();
    };
    const reveal = (hash) => { // a link to a row leads to it, whatever the filters are
      const row = rows.find(({ id }) => id && id === decode(hash));
      if (row?.hidden) reset();
      row?.scrollIntoView();
    };

    const addField = (name, label, field, passes) => {
      field.autocomplete = "off"; // the address holds the state, not the browser's memory
      field.addEventListener(field.options ? "change" : "input", changed);
      controls.append(create("label", {}, create("span", {}, label), field));
      fields.push({ name, field, passes });
    };
    const addFilter = (head) => {
      const keys = new Map(); // of each value that the select box offers
      const values = new Map(rows.map((row) => { // of each row: those of class value, or its text
        const cell = row.cells[head.cellIndex];
        const found = [...cell.querySelectorAll(".value")];
        const parts = found.length ? found : [cell];
        for (const part of parts) keys.set(text(part), key(part));
        return [row, parts.map(text)];
      }));
      keys.delete("");
      const offered = [...keys.keys()].sort((a, b) => compare(keys.get(a), keys.get(b)));
      const options = offered.map((value) => new Option(value, value));
      const select = create("select", {}, new Option("All", ""), ...options);
      const label = text(head);
      addField(slug(label), label, select, (row) => values.get(row).includes(select.value));
    };
    const addSearch = () => {
      const input = create("input", { type: "search" });
      const texts = new Map(rows.map((row) => [row, text(row).toLowerCase()]));
      addField("search", "Search", input, (row) =>
        input.value.toLowerCase().split(/\s+/).every((word) => texts.get(row).includes(word)));
    };
    for (const head of heads.filter((head) => head.dataset.filter)
      .sort((a, b) => a.dataset.filter - b.dataset.filter)) addFilter(head);
    if (box.dataset.search === "true") addSearch();
    controls.append(button(reset, "Reset"), count);
    box.querySelector(".msa-table").before(controls);
    for (const head of heads) head.append(button(() => sort(head), ...head.childNodes));

    const asked = new URLSearchParams(location.search);
    for (const { name, field } of fields) {
      const value = asked.get(name) ?? "";
      field.value = field.options
        ? ([...field.options].find((option) => slug(option.value) === slug(value))?.value ?? "")
        : value;
    }
    show();
    reveal(location.hash);
    addEventListener("hashchange", () => reveal(location.hash));
    document.addEventListener("click", ({ target }) => { // the same link again changes no hash
      const link = target.closest("a[href]");
      if (link && link.pathname === location.pathname) reveal(link.hash);
    });
  };

  addEventListener("DOMContentLoaded", () =>
    document.querySelectorAll(".msa-sortable").forEach(enhance));
})();
