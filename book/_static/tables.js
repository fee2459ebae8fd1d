// Downloads of tables, and sorting, filters and search for those of msalib/pages/sortable.py. Tables
// are whole without it. A download is what msalib/pages/reading.py and exports.py make of the table.
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

  // --- words of elements, as a screen reader has them -------------------------------------------

  const BLOCKS = new Set(`ADDRESS ARTICLE DD DETAILS DIV DL DT FIGCAPTION FIGURE FOOTER H1 H2 H3 H4 H5
    H6 HEADER LI NAV OL P PRE SECTION SUMMARY TABLE TBODY THEAD TR UL CAPTION TD TH`.split(/\s+/));
  const SILENT = new Set(["SCRIPT", "STYLE", "TEMPLATE"]);

  const label = (node) => { // the words that stand for an element whose text is a mark
    if (node.tagName === "ABBR") return node.getAttribute("aria-label");
    if (/^(img|svg)$/i.test(node.tagName))
      return node.getAttribute("alt") ?? node.getAttribute("aria-label") ?? "";
    if (node.classList.contains("verdict")) return words(node).replace(/^[^ ]* /, "");
    return null;
  };
  const words = (node) => [...node.childNodes].map((child) => {
    if (child.nodeType === Node.TEXT_NODE) return child.data.replace(/\s/g, " ");
    if (child.nodeType !== Node.ELEMENT_NODE || SILENT.has(child.tagName)) return "";
    if (child.tagName === "BR") return "\n";
    if (child.getAttribute("aria-hidden") === "true") return "";
    const end = BLOCKS.has(child.tagName) ? "\n" : "";
    return end + (label(child) ?? words(child)) + end;
  }).join("");
  const spoken = (node) => words(node).split("\n").map((line) => line.replace(/\s+/g, " ").trim())
    .filter(Boolean)
    .reduce((all, line) => all && all + (/[.:;,!?]$/.test(all) ? " " : "; ") + line || line, "");

  // --- downloads --------------------------------------------------------------------------------

  const NOTHING = new Set(["", "-", "–", "—"]);

  // A table with the rows that are shown; a cell that spans columns is followed by empty ones.
  const read = (table) => {
    const heads = [...table.querySelectorAll("thead :is(th, td)")].map((head) => ({
      text: spoken(head),
      fields: head.dataset.fields?.split("|") ?? [],
      kind: ["number", "sentence"].find((kind) => head.classList.contains(kind)) ?? "",
    }));
    const rows = [];
    for (const body of table.tBodies) {
      let group = "";
      for (const row of body.rows) {
        const cells = [...row.cells];
        if (cells.length === 1 && cells[0].scope === "rowgroup") group = spoken(cells[0]);
        else if (!row.hidden) rows.push({ group, cells: cells.flatMap((cell) => [
          { text: spoken(cell), numbers: cell.dataset.values?.split("|") ?? [] },
          ...Array(cell.colSpan - 1).fill({ text: "", numbers: [] }),
        ]) });
      }
    }
    for (const { cells } of rows)
      while (cells.length < heads.length) cells.push({ text: "", numbers: [] });
    return { caption: table.caption ? spoken(table.caption) : "", heads, rows };
  };

  const plain = (words, number) =>
    NOTHING.has(words) ? "" : number ? words.replaceAll("\u2212", "-") : words;
  const columns = ({ heads, rows }) => { // name and texts of each column of numbers and texts
    const found = heads.flatMap(({ text, fields, kind }, at) => {
      const name = text.replace(/[↑↓]/g, " ").replace(/\s+/g, " ").trim();
      const cells = rows.map((row) => row.cells[at]);
      const number = kind === "number";
      if (!fields.length) return [[name, ...cells.map((cell) => plain(cell.text, number))]];
      const notes = cells.map((cell) => (cell.numbers.some(Boolean) ? "" : plain(cell.text)));
      return [
        ...fields.map((field, i) =>
          [`${name} ${field}`.trim(), ...cells.map((cell) => cell.numbers[i] ?? "")]),
        ...(notes.some(Boolean) ? [[`${name} note`, ...notes]] : []),
      ];
    });
    const groups = rows.map((row) => row.group);
    return groups.some(Boolean) ? [["group", ...groups], ...found] : found;
  };
  const csv = (grid) => {
    const found = columns(grid);
    const quoted = (words) => (/[",\n\r]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words);
    return [-1, ...grid.rows.keys()]
      .map((i) => `${found.map((column) => quoted(column[i + 1])).join(",")}\n`).join("");
  };

  const LATEX = { // what LaTeX writes for a character
    ...Object.fromEntries([..."&%$#_{}"].map((letter) => [letter, `\\${letter}`])),
    "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}",
    "<": "\\textless{}", ">": "\\textgreater{}", "|": "\\textbar{}", "[": "{[}", '"': "''",
    "\u00a0": "~", "…": "\\ldots{}", "–": "--", "—": "---", "“": "``", "”": "''",
    ...Object.fromEntries(String.raw`
      ± \pm   − -   × \times   ≈ \approx   ≤ \leq   ≥ \geq   ≠ \neq   ∞ \infty   ∈ \in   · \cdot
      ↑ \uparrow   ↓ \downarrow   → \rightarrow   ½ \frac{1}{2}   ² ^2   ³ ^3   ∅ \emptyset
      α \alpha   β \beta   λ \lambda   μ \mu   ρ \rho   σ \sigma   τ \tau   Δ \Delta
      ✓ \surd   ✗ \times   ○ \circ   ● \bullet   ▲ \triangle   ▼ \nabla
    `.trim().split(/\s{2,}/).map((pair) => pair.split(" "))
      .map(([letter, command]) => [letter, `$${command}$`])),
  };
  const escaped = (words) => [...words].map((letter) => LATEX[letter] ?? letter).join("");
  const latex = ({ caption, heads, rows }, name) => {
    const broken = heads.map(({ kind }, at) => kind !== "number"
      && rows.some(({ cells }) => [...cells[at].text].length >= 24)); // as LONG of exports.py
    const wide = `p{${(0.6 / Math.max(broken.filter(Boolean).length, 2)).toFixed(2)}\\linewidth}`;
    const shapes = heads.map(({ kind }, at) => broken[at] ? wide : kind === "number" ? "r" : "l");
    const line = (texts) => `    ${texts.map(escaped).join(" & ")} \\\\`;
    let group = "";
    const body = rows.flatMap((row) => {
      const heading = row.group === group ? []
        : [`    \\multicolumn{${heads.length}}{l}{${escaped(row.group)}} \\\\`];
      group = row.group;
      return [...heading, line(heads.map((_, at) => row.cells[at].text))];
    });
    return [
      "% Needs \\usepackage{booktabs}.", "\\begin{table}", `  \\caption{${escaped(caption)}}`,
      `  \\label{tab:${name}}`, `  \\begin{tabular}{${shapes.join("")}}`, "    \\toprule",
      line(heads.map((head) => head.text)), "    \\midrule", ...body, "    \\bottomrule",
      "  \\end{tabular}", "\\end{table}", "",
    ].join("\n");
  };

  const save = (name, content) => {
    const url = URL.createObjectURL(new Blob([content], { type: "text/plain;charset=utf-8" }));
    create("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  };
  const file = () => location.pathname.split("/").pop().replace(/\.html$/, "") || "index";
  const downloads = (box) => { // buttons for a table, and a link to it
    const table = box.querySelector("table");
    const name = `${file()}-${box.id}`;
    const made = {
      CSV: () => save(`${name}.csv`, csv(read(table))),
      LaTeX: () => save(`${name}.tex`, latex(read(table), name)),
    };
    const about = box.getAttribute("aria-label");
    const buttons = Object.entries(made).map(([word, action]) => {
      const node = button(action, word);
      node.setAttribute("aria-label", `${word} of the table: ${about}`);
      return node;
    });
    const link = { href: `#${box.id}`, "aria-label": `Link to the table: ${about}` };
    return [...buttons, create("a", link, "Link")];
  };

  // --- tables that are sorted and filtered ------------------------------------------------------

  // What a cell is sorted by: a number if it reads as one, else its text.
  const key = (node) => {
    const ordered = node.matches("[data-order]") ? node : node.querySelector("[data-order]");
    const known = ordered?.dataset.order ?? node.dataset.values?.split("|")[0];
    const words = (known || text(node)).replace("\u2212", "-");
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
    const region = box.querySelector(".msa-table");
    const count = create("p", { class: "msa-count", role: "status" });
    const order = create("p", { class: "visually-hidden", role: "status" });
    const about = `Filters of the table: ${region.getAttribute("aria-label")}`;
    const group = { class: "msa-controls", role: "group", "aria-label": about };
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
      order.textContent = `Sorted by ${text(head)}, ${head.getAttribute("aria-sort")}`;
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
    controls.append(button(reset, "Reset"), ...downloads(region), count, order);
    region.before(controls);
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

  addEventListener("DOMContentLoaded", () => {
    const named = new Set();
    document.querySelectorAll(".msa-table").forEach((box, i) => {
      box.id ||= `table-${i + 1}`;
      const name = box.getAttribute("aria-label"); // two regions of one name are one to the ear
      if (named.has(name)) box.setAttribute("aria-label", `${name} (table ${i + 1})`);
      named.add(name);
      if (box.closest(".msa-sortable")) return;
      const group = { class: "msa-downloads", role: "group", "aria-label": "Download" };
      box.after(create("div", group, ...downloads(box)));
    });
    document.querySelectorAll(".msa-sortable").forEach(enhance);
    if (/^#table-\d+$/.test(location.hash)) document.querySelector(location.hash)?.scrollIntoView();
  });
})();
