/**
 * A server-sent event stream that notices silence and comes back by itself.
 *
 * EventSource alone waits seconds between attempts and never notices a connection that is open but
 * dead, so this closes and opens it: retries after 0.25 s doubling to 1.5 s (a box that is back is
 * seen within 2 s), silence after 5 s without any event.  The caller gets every event in order; `perFrame` below bundles them for painting.
 */

/** How long a new stream may stay mute while the link is silent. */
const ATTEMPT_MS = 2000;

export type LinkState = "connecting" | "open" | "silent";

export interface FeedOptions {
  readonly url: string;
  /** Event name to handler; every named event also counts as a sign of life. */
  readonly on: Readonly<Record<string, (data: string, id: string) => void>>;
  readonly onLink: (state: LinkState) => void;
  /** After this long without an event the link is "silent" and is opened anew. */
  readonly silentAfterMs?: number;
  readonly retryMinMs?: number;
  readonly retryMaxMs?: number;
  readonly open?: (url: string) => EventSource;
  readonly now?: () => number;
}

export interface Feed {
  close(): void;
}

export function openFeed(options: FeedOptions): Feed {
  const silentAfter = options.silentAfterMs ?? 5000;
  const retryMin = options.retryMinMs ?? 250;
  const retryMax = options.retryMaxMs ?? 1500;
  const open = options.open ?? ((url: string) => new EventSource(url));
  const now = options.now ?? (() => performance.now());

  let source: EventSource | null = null;
  let state: LinkState | null = null;
  let retryMs = retryMin;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let heardAt = now();
  let openedAt = now();

  function tell(next: LinkState): void {
    if (next === state) return;
    state = next;
    options.onLink(next);
  }

  function heard(): void {
    heardAt = now();
    retryMs = retryMin;
    tell("open");
  }

  function connect(): void {
    openedAt = now();
    const fresh = open(options.url);
    source = fresh;
    for (const [name, handle] of Object.entries(options.on)) {
      fresh.addEventListener(name, (event) => {
        if (source !== fresh) return;
        heard();
        handle(event.data as string, event.lastEventId);
      });
    }
    fresh.onerror = () => {
      if (source === fresh) again();
    };
  }

  function again(): void {
    source?.close();
    source = null;
    clearTimeout(retryTimer);
    retryTimer = setTimeout(connect, retryMs);
    retryMs = Math.min(retryMs * 2, retryMax);
  }

  const watch = setInterval(() => {
    const silentMs = now() - heardAt;
    if (silentMs < silentAfter) return;
    tell("silent");
    // A stream that is open but dead never fires an error.  The box speaks first on a new one.
    if (source !== null && now() - openedAt >= ATTEMPT_MS) again();
  }, 250);

  tell("connecting");
  connect();
  return {
    close() {
      clearInterval(watch);
      clearTimeout(retryTimer);
      source?.close();
      source = null;
    },
  };
}

/**
 * Collect values and hand them over once per animation frame, oldest first.  A hidden page gets no
 * frames, so a timer stands in for them there.
 */
export function perFrame<Value>(apply: (values: Value[]) => void): (value: Value) => void {
  let waiting: Value[] = [];
  const flush = (): void => {
    const values = waiting;
    waiting = [];
    apply(values);
  };
  return (value) => {
    waiting.push(value);
    if (waiting.length > 1) return;
    if (document.hidden) setTimeout(flush, 100);
    else requestAnimationFrame(flush);
  };
}
