// What the frame of a page does: colours, copying of code, regions that scroll by keyboard.
(() => {
  const root = document.documentElement;
  const MODES = { auto: "as your system", light: "light", dark: "dark" };
  const system = matchMedia("(prefers-color-scheme: dark)");

  const paint = (mode) => {
    const dark = mode === "auto" ? system.matches : mode === "dark";
    Object.assign(root.dataset, { mode, theme: dark ? "dark" : "light" });
  };

  const offerModes = (button) => {
    const tell = () => {
      button.title = `Colours: ${MODES[root.dataset.mode]}`;
      button.ariaLabel = button.title;
    };
    button.addEventListener("click", () => {
      const names = Object.keys(MODES);
      const next = names[(names.indexOf(root.dataset.mode) + 1) % names.length];
      paint(next);
      try { localStorage.setItem("mode", next); } catch { /* refused: for this page alone */ }
      tell();
    });
    system.addEventListener("change", () => paint(root.dataset.mode));
    tell();
    button.hidden = false;
  };

  const offerCopy = (code) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "book-copy", textContent: "Copy" });
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code.querySelector("pre").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    code.append(button);
  };

  // What scrolls can be reached by the keyboard, and what does not is no stop on the way.
  const watchScrolling = () => {
    const regions = [...document.querySelectorAll(".bd-content :is(pre, .msa-table, .text_html, .math)")];
    const reach = () => {
      for (const region of regions) {
        const scrolls = region.scrollWidth > region.clientWidth + 1
          || region.scrollHeight > region.clientHeight + 1;
        if (scrolls && getComputedStyle(region).overflowX !== "visible") region.tabIndex = 0;
        else if (!region.role) region.removeAttribute("tabindex");
      }
    };
    addEventListener("resize", reach);
    document.addEventListener("toggle", reach, true); // a fold that opens
    reach();
  };

  const openTarget = () => { // a fold that an address names
    const target = document.getElementById(location.hash.slice(1));
    if (target?.tagName === "DETAILS") target.open = true;
  };

  addEventListener("hashchange", openTarget);
  addEventListener("DOMContentLoaded", () => {
    openTarget();
    const button = document.querySelector(".book-mode");
    if (button) offerModes(button);
    if (navigator.clipboard) document.querySelectorAll(".bd-content div.highlight").forEach(offerCopy);
    watchScrolling();
  });
})();
