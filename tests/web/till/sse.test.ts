import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openFeed, type LinkState } from "../../../shared/web/sse.ts";

/** The part of EventSource that the feed uses, driven by hand. */
class Line {
  static all: Line[] = [];
  onerror: (() => void) | null = null;
  closed = false;
  readonly #handlers = new Map<string, (event: { data: string; lastEventId: string }) => void>();

  constructor(readonly openedAt: number) {
    Line.all.push(this);
  }
  addEventListener(name: string, handle: (event: { data: string; lastEventId: string }) => void) {
    this.#handlers.set(name, handle);
  }
  send(name: string, data: string) {
    this.#handlers.get(name)?.({ data, lastEventId: "1" });
  }
  close() {
    this.closed = true;
  }
}

let links: LinkState[] = [];
let heard: string[] = [];

function open() {
  return openFeed({
    url: "/events",
    on: { view: (data) => heard.push(data) },
    onLink: (link) => links.push(link),
    open: () => new Line(performance.now()) as unknown as EventSource,
  });
}

const newest = (): Line => Line.all.at(-1) as Line;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] });
  Line.all = [];
  links = [];
  heard = [];
});
afterEach(() => vi.useRealTimers());

test("events arrive in order and show that the link is open", () => {
  const feed = open();
  expect(links).toEqual(["connecting"]);
  newest().send("view", "a");
  newest().send("view", "b");
  expect(heard).toEqual(["a", "b"]);
  expect(links).toEqual(["connecting", "open"]);
  feed.close();
  expect(newest().closed).toBe(true);
});

test("a refused connection is tried again after 0.25 s, doubling to 1.5 s", () => {
  const feed = open();
  const gaps: number[] = [];
  for (let n = 0; n < 6; n += 1) {
    const failed = newest();
    const failedAt = performance.now();
    failed.onerror?.();
    while (newest() === failed) vi.advanceTimersByTime(10);
    gaps.push(Math.round((newest().openedAt - failedAt) / 10) * 10);
  }
  expect(gaps).toEqual([250, 500, 1000, 1500, 1500, 1500]);
  feed.close();
});

test("five seconds without a sign of life are silence, and the dead stream is replaced", () => {
  const feed = open();
  newest().send("view", "a");
  vi.advanceTimersByTime(4900);
  expect(links.at(-1)).toBe("open");
  vi.advanceTimersByTime(400);
  expect(links.at(-1)).toBe("silent");
  vi.advanceTimersByTime(600);
  expect(Line.all).toHaveLength(2);
  newest().send("view", "b");
  expect(links.at(-1)).toBe("open");
  expect(heard).toEqual(["a", "b"]);
  feed.close();
});

test("a stream that was replaced says nothing more", () => {
  const feed = open();
  const old = newest();
  old.onerror?.();
  vi.advanceTimersByTime(300);
  old.send("view", "late");
  expect(heard).toEqual([]);
  feed.close();
});
