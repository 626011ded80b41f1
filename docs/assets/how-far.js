// How many lessons this reader has passed, as one line of text: the one of `headwater lesson list`.
// It is kept in this browser and goes nowhere. A page holds <p data-lessons="14">, where the line stands,
// and <label><input type="checkbox" data-lesson="3">, which ticks a lesson off.
(() => {
  const WIDTH = 24; // as in a terminal: src/headwater_workshop/bar.py
  const KEY = "headwater.lessons.passed";

  /** The numbers of the lessons that were ticked off, of those there are. */
  function passed(total) {
    let kept = [];
    try {
      kept = JSON.parse(localStorage.getItem(KEY));
    } catch {
      // a browser that keeps nothing, or somebody else's text
    }
    const numbers = Array.isArray(kept) ? kept : [];
    return new Set(numbers.filter((each) => Number.isInteger(each) && each >= 1 && each <= total));
  }

  function tick(box, total) {
    const numbers = passed(total);
    const lesson = Number(box.dataset.lesson);
    box.checked ? numbers.add(lesson) : numbers.delete(lesson);
    try {
      localStorage.setItem(KEY, JSON.stringify([...numbers].sort((a, b) => a - b)));
    } catch {
      return; // the box stays as it is now, for this page
    }
    show();
  }

  function line(done, total) {
    const filled = Math.floor((WIDTH * done) / Math.max(total, 1));
    return `[${"#".repeat(filled)}${".".repeat(WIDTH - filled)}] ${done} of ${total} lessons done`;
  }

  const place = document.querySelector("[data-lessons]");
  const boxes = document.querySelectorAll("input[data-lesson]");
  const total = Number(place?.dataset.lessons);

  function show() {
    const numbers = passed(total);
    place.textContent = line(numbers.size, total);
    for (const box of boxes) box.checked = numbers.has(Number(box.dataset.lesson));
  }

  if (place) {
    for (const box of boxes) {
      box.closest("label").hidden = false;
      box.addEventListener("change", () => tick(box, total));
    }
    window.addEventListener("storage", show); // ticked in another tab
    show();
  }
})();
