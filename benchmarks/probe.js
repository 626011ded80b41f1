// Put into each window of the measure `windows`: when was the task's box clicked, and in which
// animation frame was it first seen in a state? Times are milliseconds since 1970 by the machine's
// clock, so those of two windows can be compared.
(title) => {
  const LIMIT_MS = 10_000;
  const since1970 = (ms) => performance.timeOrigin + ms;
  const box = () =>
    [...document.querySelectorAll("label")]
      .find((label) => label.textContent.trim() === title)
      ?.querySelector("input[type=checkbox]");

  const probe = { clicked: 0, box, checked: () => box()?.checked };

  /** Begin to look at each frame; `probe.seen` is when the box was in the state. */
  probe.watch = (state) => {
    const deadline = performance.now() + LIMIT_MS;
    probe.seen = new Promise((resolve, reject) => {
      const look = () => {
        if (box()?.checked === state) resolve(since1970(performance.now()));
        else if (performance.now() > deadline) reject(new Error(`${title} never was ${state}`));
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
    probe.seen.catch(() => {}); // who awaits it is told
  };

  // First in line, before the page's own handler; an event's time is that of the mouse button.
  addEventListener(
    "click",
    (event) => {
      if (event.target === box()) probe.clicked = since1970(event.timeStamp);
    },
    { capture: true },
  );
  window.probe = probe;
}
