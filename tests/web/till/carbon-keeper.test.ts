import { beforeEach, describe, expect, it } from "vitest";
import {
  CarbonKeeper,
  ENTRIES_MAX,
  readLine,
  type Carbon,
  type CarbonFacts,
  type CopyBox,
  type CopyNotice,
  type Offer,
  type Shelf,
  type Wanted,
} from "../../../edge/web/src/state/carbon-keeper.ts";

const OLD = "0a".repeat(16);
const NEW = "0b".repeat(16);

const hashOf = (stream: string, seq: number, branch = ""): string => `${stream}/${seq}${branch}`;

function aLine(stream: string, seq: number, type = "sale.completed", branch = ""): string {
  const hash = hashOf(stream, seq, branch);
  return JSON.stringify({ v: 1, stream, seq, hash, body: JSON.stringify({ seq, type }) });
}

/** A shelf that lasts as long as the test: what a reload finds again. */
class MemoryShelf implements Shelf {
  readonly kept = new Map<string, Carbon>();
  broken = false;

  async facts(): Promise<CarbonFacts[]> {
    this.#check();
    return [...this.kept.values()].map(({ line: _, ...facts }) => facts);
  }
  async put(carbons: readonly Carbon[]): Promise<void> {
    this.#check();
    for (const carbon of carbons) this.kept.set(`${carbon.stream}/${carbon.seq}`, carbon);
  }
  async drop(stream: string, seq: number): Promise<void> {
    for (const [key, one] of this.kept) {
      if (one.stream === stream && one.seq <= seq) this.kept.delete(key);
    }
  }
  async lines(stream: string, first: number, last: number): Promise<string[]> {
    return [...this.kept.values()]
      .filter((one) => one.stream === stream && one.seq >= first && one.seq <= last)
      .sort((a, b) => a.seq - b.seq)
      .map((one) => one.line);
  }
  numbers(stream: string): number[] {
    return [...this.kept.values()].filter((one) => one.stream === stream).map((one) => one.seq);
  }
  #check(): void {
    if (this.broken) throw new Error("QuotaExceededError");
  }
}

class Refusal extends Error {}

/** A box that has a journal and takes in what it wants. */
class MemoryBox implements CopyBox {
  stream = OLD;
  head = -1;
  acked = -1;
  perAnswer = 500;
  asked = 0;
  silent = false;
  refuses = false;
  readonly taken: string[] = [];
  /** From here on the box's own journal has another history than before. */
  parted: number | null = null;
  /** What the cloud holds of other journals, by the hash of the last entry. */
  readonly arrived = new Set<string>();

  async carbons(after: number): Promise<string[]> {
    this.#answer();
    this.asked += 1;
    const first = Math.max(after, this.acked) + 1;
    const count = Math.max(0, Math.min(this.perAnswer, this.head - first + 1));
    return Array.from({ length: count }, (_, n) => this.#line(first + n));
  }
  #line(seq: number): string {
    const type = seq % 2 === 0 ? "sale.completed" : "drawer.opened";
    return aLine(this.stream, seq, type, this.#branch(seq));
  }
  #branch(seq: number): string {
    return this.parted !== null && seq >= this.parted ? " other" : "";
  }
  async wanted(held: readonly Offer[]): Promise<Wanted[]> {
    this.#answer();
    return held.map(({ stream, first, last, hash }) => {
      if (this.arrived.has(hash)) return { stream, acked: last, ranges: [] };
      if (stream === this.stream && last <= this.head && hash === this.#hash(last)) {
        return { stream, acked: this.acked, ranges: [] };
      }
      const here = new Set(this.taken);
      const ranges = [];
      for (let seq = first; seq <= last; seq += 1) {
        if (!here.has(`${stream}/${seq}`)) ranges.push({ first: seq, last: seq });
      }
      return { stream, acked: -1, ranges };
    });
  }
  #hash(seq: number): string {
    return hashOf(this.stream, seq, this.#branch(seq));
  }
  async handIn(lines: string): Promise<unknown> {
    this.#answer();
    if (this.refuses) throw new Refusal("carbon.signature");
    for (const line of lines.split("\n").filter(Boolean)) {
      const carbon = readLine(line);
      if (carbon !== null) this.taken.push(`${carbon.stream}/${carbon.seq}`);
    }
    return {};
  }
  status() {
    const acked_hash = this.acked < 0 ? "" : this.#hash(this.acked);
    return { stream: this.stream, head: this.head, acked: this.acked, acked_hash };
  }
  #answer(): void {
    if (this.silent) throw new Error("unreachable");
  }
}

let shelf: MemoryShelf;
let box: MemoryBox;
let notices: (CopyNotice | null)[];
let now: number;

function aKeeper(): CarbonKeeper {
  return new CarbonKeeper({
    shelf,
    box,
    onNotice: (notice) => notices.push(notice),
    isRefusal: (error) => error instanceof Refusal,
    now: () => now,
  });
}

beforeEach(() => {
  shelf = new MemoryShelf();
  box = new MemoryBox();
  notices = [];
  now = 0;
});

describe("keeping", () => {
  it("keeps what the cloud lacks, and forgets what it has got", async () => {
    const keeper = aKeeper();
    box.head = 9;
    box.acked = 3;
    await keeper.turn(box.status(), true);
    expect(shelf.numbers(OLD)).toEqual([4, 5, 6, 7, 8, 9]);
    box.acked = 7;
    await keeper.turn(box.status(), true);
    expect(shelf.numbers(OLD)).toEqual([8, 9]);
    expect(keeper.entries).toBe(2);
  });

  it("asks in steps, and not again for what it holds", async () => {
    const keeper = aKeeper();
    box.head = 9;
    box.perAnswer = 4;
    await keeper.turn(box.status(), true);
    expect(shelf.numbers(OLD)).toHaveLength(10);
    expect(box.asked).toBe(3);
    await keeper.turn(box.status(), true);
    expect(box.asked).toBe(3);
  });

  it("finds after a reload what it kept, and closes the holes", async () => {
    box.head = 5;
    await aKeeper().turn(box.status(), true);
    shelf.kept.delete(`${OLD}/2`);
    box.head = 7;
    const again = aKeeper();
    await again.turn(box.status(), true);
    expect(shelf.numbers(OLD).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(again.entries).toBe(8);
  });

  it("fetches nothing while nobody is signed in, but forgets all the same", async () => {
    const keeper = aKeeper();
    box.head = 5;
    await keeper.turn(box.status(), true);
    box.head = 8;
    box.acked = 4;
    await keeper.turn(box.status(), false);
    expect(shelf.numbers(OLD)).toEqual([5]);
  });

  it("stops at its bound with the oldest, which can go up without a gap", async () => {
    const keeper = aKeeper();
    box.head = ENTRIES_MAX + 5000;
    await keeper.turn(box.status(), true);
    const numbers = shelf.numbers(OLD);
    expect(numbers).toHaveLength(ENTRIES_MAX);
    expect(numbers[0]).toBe(0);
    expect(numbers.at(-1)).toBe(ENTRIES_MAX - 1);
  });

  it("passes a shelf's failure on and goes on at the next turn", async () => {
    const keeper = aKeeper();
    box.head = 3;
    shelf.broken = true;
    await expect(keeper.turn(box.status(), true)).rejects.toThrow("Quota");
    shelf.broken = false;
    await keeper.turn(box.status(), true);
    expect(shelf.numbers(OLD)).toEqual([0, 1, 2, 3]);
  });

  it("does not hammer a box that gives nothing", async () => {
    const keeper = aKeeper();
    box.perAnswer = 0;
    box.head = 3;
    await keeper.turn(box.status(), true);
    await keeper.turn(box.status(), true);
    expect(box.asked).toBe(1);
    now += 5000;
    await keeper.turn(box.status(), true);
    expect(box.asked).toBe(2);
  });

  it("works one turn at a time", async () => {
    const keeper = aKeeper();
    box.head = 3;
    await Promise.all([keeper.turn(box.status(), true), keeper.turn(box.status(), true)]);
    expect(box.asked).toBe(1);
  });
});

describe("handing in", () => {
  async function aMetBox(): Promise<CarbonKeeper> {
    box.head = 5;
    await aKeeper().turn(box.status(), true);
    box.stream = NEW;
    box.head = -1;
    return aKeeper();
  }

  it("gives the box that came after what its predecessor did not send", async () => {
    const keeper = await aMetBox();
    await keeper.turn(box.status(), true);
    expect(box.taken).toEqual([0, 1, 2, 3, 4, 5].map((seq) => `${OLD}/${seq}`));
    expect(notices).toEqual([
      { kind: "handing", count: 3 },
      { kind: "uploading", count: 3 },
    ]);
    expect(shelf.numbers(OLD)).toHaveLength(6);
  });

  it("forgets only what the cloud has, and then says that all is done", async () => {
    const keeper = await aMetBox();
    await keeper.turn(box.status(), true);
    now += 5000;
    await keeper.turn(box.status(), true);
    expect(shelf.numbers(OLD)).toHaveLength(6);
    box.arrived.add(hashOf(OLD, 5));
    now += 5000;
    await keeper.turn(box.status(), true);
    expect(keeper.entries).toBe(0);
    expect(notices.at(-1)).toEqual({ kind: "done", count: 3 });
    now += 5 * 60_000;
    await keeper.turn(box.status(), true);
    expect(notices.at(-1)).toBeNull();
    expect(box.taken).toHaveLength(6);
  });

  it("says what waits while nobody is signed in", async () => {
    const keeper = await aMetBox();
    await keeper.turn(box.status(), false);
    expect(notices).toEqual([{ kind: "locked", count: 3 }]);
    expect(box.taken).toEqual([]);
  });

  it("keeps everything that a box refuses, says so, and asks again later", async () => {
    const keeper = await aMetBox();
    box.refuses = true;
    await keeper.turn(box.status(), true);
    expect(notices.at(-1)).toMatchObject({ kind: "refused", count: 3 });
    expect(shelf.numbers(OLD)).toHaveLength(6);
    box.refuses = false;
    now += 5000;
    await keeper.turn(box.status(), true);
    expect(box.taken).toEqual([]);
    now += 10 * 60_000;
    await keeper.turn(box.status(), true);
    expect(box.taken).toHaveLength(6);
  });

  it("goes on after the box was away", async () => {
    const keeper = await aMetBox();
    box.silent = true;
    await expect(keeper.turn(box.status(), true)).rejects.toThrow("unreachable");
    box.silent = false;
    now += 5000;
    await keeper.turn(box.status(), true);
    expect(box.taken).toHaveLength(6);
  });

  it("says nothing of entries without a sale", async () => {
    await shelf.put([readLine(aLine(OLD, 1, "drawer.opened"))].filter((one) => one !== null));
    box.stream = NEW;
    await aKeeper().turn(box.status(), true);
    expect(box.taken).toEqual([`${OLD}/1`]);
    expect(notices).toEqual([]);
  });
});

describe("a box whose journal is an older image", () => {
  beforeEach(async () => {
    box.head = 9;
    box.acked = 3;
    await aKeeper().turn(box.status(), true);
  });

  it("gets back what it has lost, though it has given the numbers again", async () => {
    const keeper = aKeeper();
    box.parted = 6;
    box.head = 7;
    box.acked = 7;
    await keeper.turn(box.status(), true);
    expect(shelf.numbers(OLD)).toEqual([4, 5, 6, 7, 8, 9]);
    expect(box.taken).toEqual([4, 5, 6, 7, 8, 9].map((seq) => `${OLD}/${seq}`));
    expect(notices.at(-1)).toEqual({ kind: "uploading", count: 3 });
    box.arrived.add(hashOf(OLD, 9));
    now += 5000;
    await keeper.turn(box.status(), true);
    expect(shelf.numbers(OLD)).toEqual([]);
    expect(notices.at(-1)).toEqual({ kind: "done", count: 3 });
  });

  it("gets back a tail that it does not have at all", async () => {
    const keeper = aKeeper();
    box.head = 5;
    await keeper.turn(box.status(), true);
    expect(box.taken).toEqual([4, 5, 6, 7, 8, 9].map((seq) => `${OLD}/${seq}`));
  });

  it("is asked about entries that are older than its last acknowledged one", async () => {
    const keeper = aKeeper();
    box.head = 30;
    box.acked = 20;
    await keeper.turn(box.status(), true);
    now += 5000;
    await keeper.turn(box.status(), true);
    expect(box.taken).toEqual([]);
    expect(shelf.numbers(OLD)[0]).toBe(21);
    expect(shelf.numbers(OLD)).toHaveLength(10);
    expect(notices).toEqual([]);
  });
});

describe("readLine", () => {
  it("knows a sale, and takes what is no line for none", () => {
    expect(readLine(aLine(OLD, 7))).toMatchObject({ stream: OLD, seq: 7, sale: true });
    expect(readLine(aLine(OLD, 8, "day.opened"))?.sale).toBe(false);
    expect(readLine("{torn")).toBeNull();
    expect(readLine('{"v":1}')).toBeNull();
  });
});
