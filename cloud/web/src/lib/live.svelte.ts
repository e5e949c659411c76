/** The one event stream of the console: sales, convergence, boxes and releases as they change. */

import { openFeed, perFrame, type Feed, type LinkState } from "@tillbox/web/sse.ts";
import type { Box, ConvergenceRow, LiveSale } from "../api/types.ts";

export interface LiveEvents {
  sale: LiveSale;
  convergence: ConvergenceRow;
  fleet: Box;
  release: MovedRelease;
}

/** A release that has moved: pages that show it ask for it again. */
export interface MovedRelease {
  release_id: number;
  state: string;
  wave: number;
}

type Name = keyof LiveEvents;
type Listener<K extends Name> = (values: LiveEvents[K][]) => void;

class LiveStream {
  link: LinkState = $state("connecting");
  #feed: Feed | null = null;
  #listeners: { [K in Name]: Set<Listener<K>> } = {
    sale: new Set(),
    convergence: new Set(),
    fleet: new Set(),
    release: new Set(),
  };
  #back = new Set<() => void>();
  #isFirst = true;

  start(): void {
    if (this.#feed !== null) return;
    const heard = perFrame<[Name, string]>((waiting) => this.#tell(waiting));
    this.#feed = openFeed({
      url: "/v1/events",
      on: {
        sale: (data) => heard(["sale", data]),
        convergence: (data) => heard(["convergence", data]),
        fleet: (data) => heard(["fleet", data]),
        release: (data) => heard(["release", data]),
        beat: () => undefined,
      },
      onLink: (state) => (this.link = state),
      open: (url) => this.#open(url),
      silentAfterMs: 25_000,
    });
  }

  stop(): void {
    this.#feed?.close();
    this.#feed = null;
    this.#isFirst = true;
    this.link = "connecting";
  }

  /** Hear all events of a name, bundled per frame; returns the function that stops it. */
  on<K extends Name>(name: K, listener: Listener<K>): () => void {
    this.#listeners[name].add(listener);
    return () => this.#listeners[name].delete(listener);
  }

  /** Hear that the stream is back after a gap, in which events may have been missed. */
  onBack(listener: () => void): () => void {
    this.#back.add(listener);
    return () => this.#back.delete(listener);
  }

  /** The cloud ends a stream that may have missed events: each opening after the first is a gap. */
  #open(url: string): EventSource {
    const source = new EventSource(url);
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    // Said at once, not after the silence that the feed waits for.
    source.addEventListener("error", () => (this.link = "connecting"));
    source.onopen = () => {
      this.link = "open";
      if (!isFirst) for (const listener of this.#back) listener();
    };
    return source;
  }

  #tell(waiting: [Name, string][]): void {
    this.#pass("sale", waiting);
    this.#pass("convergence", waiting);
    this.#pass("fleet", waiting);
    this.#pass("release", waiting);
  }

  #pass<K extends Name>(name: K, waiting: [Name, string][]): void {
    const values = waiting
      .filter(([kind]) => kind === name)
      .map(([, data]) => JSON.parse(data) as LiveEvents[K]);
    if (values.length === 0) return;
    for (const listener of this.#listeners[name]) listener(values);
  }
}

export const live = new LiveStream();
