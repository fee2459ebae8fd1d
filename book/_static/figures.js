// What the points of a figure are worth (msalib/pages/figure.py writes a mark for each): under a
// pointer, a finger, or the arrow keys once the figure has the focus. Without a script the browser
// shows the same texts by itself where a pointer rests.

"use strict";

(() => {
  const REACH = 28; // pixels from a mark within which a pointer means it
  const GAP = 12;

  const next = {
    ArrowRight: (i, n) => (i + 1) % n,
    ArrowDown: (i, n) => (i + 1) % n,
    ArrowLeft: (i, n) => (i < 1 ? n : i) - 1,
    ArrowUp: (i, n) => (i < 1 ? n : i) - 1,
    Home: () => 0,
    End: (i, n) => n - 1,
  };

  function centre(mark) {
    const box = mark.getBoundingClientRect();
    return [box.left + box.width / 2, box.top + box.height / 2];
  }

  function make(plot, marks) {
    const texts = marks.map((mark) => {
      const title = mark.querySelector("title");
      title.remove(); // or the browser would show it, too
      return title.textContent;
    });
    const value = document.createElement("p");
    value.className = "msa-value";
    value.setAttribute("role", "status");
    plot.append(value);
    plot.tabIndex = 0;
    plot.setAttribute("role", "group");
    plot.setAttribute("aria-label", "Figure: the arrow keys tell the value of each point");
    let shown = -1;

    function place() {
      const frame = plot.getBoundingClientRect();
      const [x, y] = centre(marks[shown]);
      const left = x - frame.left - value.offsetWidth / 2;
      const room = frame.width - value.offsetWidth;
      const above = y - frame.top - value.offsetHeight - GAP;
      value.style.left = `${Math.max(0, Math.min(left, room))}px`;
      value.style.top = `${above < 0 ? y - frame.top + GAP : above}px`;
    }

    function show(i) {
      if (i === shown) return;
      if (shown >= 0) marks[shown].classList.remove("on");
      shown = i;
      value.textContent = i < 0 ? "" : texts[i];
      if (i < 0) return;
      marks[i].classList.add("on");
      place();
    }

    function nearest(event) {
      let best = -1;
      let least = REACH;
      marks.forEach((mark, i) => {
        const [x, y] = centre(mark);
        const distance = Math.hypot(x - event.clientX, y - event.clientY);
        if (distance < least) [best, least] = [i, distance];
      });
      return best;
    }

    plot.addEventListener("pointermove", (event) => show(nearest(event)));
    plot.addEventListener("pointerdown", (event) => show(nearest(event)));
    plot.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse") show(-1); // a finger leaves when it is lifted
    });
    plot.addEventListener("blur", () => show(-1));
    plot.addEventListener("keydown", (event) => {
      if (event.key === "Escape") show(-1);
      if (!(event.key in next) || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      show(next[event.key](shown, marks.length));
    });
  }

  function start() {
    for (const plot of document.querySelectorAll(".msa-plot")) {
      const marks = [...plot.querySelectorAll(".msa-marks > circle")];
      if (marks.length) make(plot, marks);
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
