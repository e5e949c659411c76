/** Whether somebody is at this page: what it asks by itself must not keep them signed in. */

const PRESENT_MS = 60_000;
const SIGNS = ["pointerdown", "keydown", "wheel", "touchmove"];
let lastMs = performance.now();

for (const sign of SIGNS) addEventListener(sign, () => (lastMs = performance.now()), { capture: true, passive: true });

/** Mark a request while somebody is there. */
export function attended(request: Request): Request {
  if (performance.now() - lastMs < PRESENT_MS) request.headers.set("X-Tillbox-Active", "1");
  return request;
}
