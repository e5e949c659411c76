/** Do something soon, but not more often than every so many milliseconds. */
export function calmly(everyMs: number, act: () => void): { now: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastMs = -Infinity;
  const run = (): void => {
    timer = undefined;
    lastMs = performance.now();
    act();
  };
  return {
    now: () => {
      timer ??= setTimeout(run, Math.max(0, lastMs + everyMs - performance.now()));
    },
    stop: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

/** Do something once nothing has asked for it during so many milliseconds. */
export function settled(quietMs: number, act: () => void): { now: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => clearTimeout(timer);
  return {
    now: () => {
      stop();
      timer = setTimeout(act, quietMs);
    },
    stop,
  };
}
