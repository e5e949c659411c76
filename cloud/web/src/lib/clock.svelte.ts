/** The browser's time as state, moving once a second, for ages on the screen. */

export const clock = $state({ nowMs: Date.now() });

setInterval(() => {
  if (!document.hidden) clock.nowMs = Date.now();
}, 1000);

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) clock.nowMs = Date.now();
});
