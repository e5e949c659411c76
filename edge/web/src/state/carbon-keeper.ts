/**
 * The second copy of what headquarters lacks: this page keeps the box's unacknowledged journal
 * entries, and hands them to whichever box of the store comes after it.
 *
 * Pure but for its two ports, a shelf that lasts and the box.  Nothing here is in a sale's way: the
 * keeper works when the lane is quiet, one step at a time, and any failure is tried again later.
 */

/** One entry as the box gave it: a self-proving line. */
export interface Carbon {
  readonly stream: string;
  readonly seq: number;
  /** The entry's hash, hex: it stands for everything before it too. */
  readonly hash: string;
  readonly line: string;
  /** UTF-8 bytes of the line. */
  readonly bytes: number;
  readonly sale: boolean;
}
export type CarbonFacts = Omit<Carbon, "line">;

/** Where copies lie; every promise may fail. */
export interface Shelf {
  /** What lies there, without the lines. */
  facts(): Promise<CarbonFacts[]>;
  put(carbons: readonly Carbon[]): Promise<void>;
  /** Forget entries up to `seq` of a journal. */
  drop(stream: string, seq: number): Promise<void>;
  /** Lines of entries `first` to `last`, in order. */
  lines(stream: string, first: number, last: number): Promise<string[]>;
}

export interface Range {
  readonly first: number;
  readonly last: number;
}
export interface Offer extends Range {
  readonly stream: string;
  /** Hash of entry `last`. */
  readonly hash: string;
}
export interface Wanted {
  readonly stream: string;
  /** What was offered has arrived up to here, -1 for nothing. */
  readonly acked: number;
  readonly ranges: readonly Range[];
}

/** The box, as far as copies go; every promise may fail. */
export interface CopyBox {
  /** Lines behind entry `after` that the cloud lacks, some of them, in order. */
  carbons(after: number): Promise<string[]>;
  wanted(held: readonly Offer[]): Promise<Wanted[]>;
  /** Give lines; fails with what the box says against them. */
  handIn(lines: string): Promise<unknown>;
}

/** Where the box's own journal stands, and what it does with what was handed in. */
export interface JournalStatus {
  readonly stream: string;
  readonly head: number;
  readonly acked: number;
  /** Hash of entry `acked`, "" for none. */
  readonly acked_hash: string;
}

/** What to tell the person at the till about copies of another box's journal. */
export type CopyNotice =
  | { readonly kind: "locked" | "handing" | "uploading" | "done"; readonly count: number }
  | { readonly kind: "refused"; readonly count: number; readonly why: unknown };

export const ENTRIES_MAX = 20_000;
export const BYTES_MAX = 40 * 1024 * 1024;
const PIECE_ENTRIES = 200;
const PIECE_CHARS = 600_000;
const ASK_AGAIN_MS = 2_000;
const REFUSED_AGAIN_MS = 10 * 60_000;
/** So long the page says that all has arrived. */
const DONE_MS = 5 * 60_000;

interface KeeperOptions {
  readonly shelf: Shelf;
  readonly box: CopyBox;
  readonly onNotice: (notice: CopyNotice | null) => void;
  /** Whether a failure is the box's refusal of what was handed in, not a bad line. */
  readonly isRefusal: (error: unknown) => boolean;
  readonly now?: () => number;
}

export class CarbonKeeper {
  readonly #shelf: Shelf;
  readonly #box: CopyBox;
  readonly #options: KeeperOptions;
  readonly #now: () => number;
  /** Journal -> entry -> what is known of it. */
  readonly #held = new Map<string, Map<number, CarbonFacts>>();
  #entries = 0;
  #bytes = 0;
  #loaded = false;
  #working = false;
  #askAt = 0;
  #fetchAt = 0;
  /** Journals that a box would not have, by that box's own journal. */
  readonly #refused = new Map<string, { why: unknown; until: number }>();
  /** The box's own journal, once it turned out to have another history than what is kept here. */
  #parted: string | null = null;
  /** Sales of other journals that were here when this page met the box. */
  #foreignSales = 0;
  #doneAt: number | null = null;
  #notice = "null";

  constructor(options: KeeperOptions) {
    this.#shelf = options.shelf;
    this.#box = options.box;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** How many entries lie here. */
  get entries(): number {
    return this.#entries;
  }

  /** Do what is to be done for a box that stands there; returns when it is done or has failed. */
  async turn(status: JournalStatus, signedIn: boolean): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    try {
      if (!this.#loaded) await this.#load();
      await this.#dropArrived(status);
      if (signedIn) {
        await this.#fetch(status);
        await this.#handIn(status);
      }
      this.#tell(status, signedIn);
    } finally {
      this.#working = false;
    }
  }

  async #load(): Promise<void> {
    for (const facts of await this.#shelf.facts()) this.#note(facts);
    this.#loaded = true;
  }

  #note(facts: CarbonFacts): void {
    let journal = this.#held.get(facts.stream);
    if (journal === undefined) this.#held.set(facts.stream, (journal = new Map()));
    if (journal.has(facts.seq)) return;
    journal.set(facts.seq, { ...facts });
    this.#entries += 1;
    this.#bytes += facts.bytes;
  }

  /**
   * Forget what the cloud has of the box's own journal.  A number proves nothing: a box with an old
   * image gives its numbers again, to other sales.  Only the entry with that very hash counts.
   */
  async #dropArrived({ stream, acked, acked_hash }: JournalStatus): Promise<void> {
    if (this.#held.get(stream)?.get(acked)?.hash === acked_hash) await this.#drop(stream, acked);
  }

  async #drop(stream: string, upTo: number): Promise<void> {
    const journal = this.#held.get(stream);
    if (journal === undefined) return;
    const gone = [...journal.values()].filter((facts) => facts.seq <= upTo);
    if (gone.length === 0) return;
    await this.#shelf.drop(stream, upTo);
    for (const facts of gone) {
      journal.delete(facts.seq);
      this.#entries -= 1;
      this.#bytes -= facts.bytes;
    }
    if (journal.size === 0) this.#held.delete(stream);
  }

  /** Fetch what the cloud lacks and this page does not hold, the oldest first. */
  async #fetch({ stream, head, acked }: JournalStatus): Promise<void> {
    if (this.#now() < this.#fetchAt) return;
    for (;;) {
      const missing = this.#firstMissing(stream, acked + 1, head);
      if (missing === null || this.#isFull()) return;
      const carbons = (await this.#box.carbons(missing - 1))
        .map(readLine)
        .filter((carbon) => carbon !== null && carbon.stream === stream)
        .filter((carbon): carbon is Carbon => !this.#held.get(stream)?.has(carbon?.seq ?? -1));
      if (carbons.length === 0) {
        this.#fetchAt = this.#now() + ASK_AGAIN_MS;
        return;
      }
      await this.#shelf.put(carbons);
      for (const { line: _, ...facts } of carbons) this.#note(facts);
    }
  }

  #isFull(): boolean {
    return this.#entries >= ENTRIES_MAX || this.#bytes >= BYTES_MAX;
  }

  #firstMissing(stream: string, first: number, last: number): number | null {
    const journal = this.#held.get(stream);
    for (let seq = first; seq <= last; seq += 1) if (!journal?.has(seq)) return seq;
    return null;
  }

  /** Give the box what it wants of other journals; forget what the cloud has. */
  async #handIn(status: JournalStatus): Promise<void> {
    const streams = this.#toAsk(status).filter(
      (stream) => (this.#refused.get(stream)?.until ?? 0) <= this.#now(),
    );
    if (streams.length === 0 || this.#now() < this.#askAt) return;
    this.#askAt = this.#now() + ASK_AGAIN_MS;
    this.#foreignSales = Math.max(this.#foreignSales, this.#salesOf(status.stream));
    this.#tell(status, true, "handing");
    for (const wanted of await this.#box.wanted(streams.map((stream) => this.#offerOf(stream)))) {
      await this.#drop(wanted.stream, wanted.acked);
      if (wanted.stream === status.stream) {
        if (wanted.ranges.length > 0) this.#parted = status.stream;
        else if (wanted.acked >= 0) this.#parted = null;
        this.#foreignSales = Math.max(this.#foreignSales, this.#salesOf(status.stream));
      }
      try {
        for (const range of wanted.ranges) await this.#give(wanted.stream, range);
        this.#refused.delete(wanted.stream);
      } catch (error) {
        if (!this.#options.isRefusal(error)) throw error;
        this.#refused.set(wanted.stream, { why: error, until: this.#now() + REFUSED_AGAIN_MS });
      }
    }
  }

  async #give(stream: string, { first, last }: Range): Promise<void> {
    for (let at = first; at <= last; at += PIECE_ENTRIES) {
      const lines = await this.#shelf.lines(stream, at, Math.min(last, at + PIECE_ENTRIES - 1));
      for (const piece of pieces(lines)) await this.#box.handIn(piece);
    }
  }

  /** Journals that the box must be asked about. */
  #toAsk({ stream, head, acked }: JournalStatus): string[] {
    // What should be gone or cannot be: this box's journal may not be the one these came from.
    const numbers = [...(this.#held.get(stream)?.keys() ?? [])];
    const isOdd = numbers.some((seq) => seq <= acked || seq > head);
    return [...this.#others(stream), ...(isOdd ? [stream] : [])];
  }

  #others(own: string): string[] {
    return [...this.#held.keys()].filter((stream) => stream !== own);
  }

  /** Journals that this box's own does not carry on. */
  #foreign(own: string): string[] {
    const parted = this.#parted === own && this.#held.has(own);
    return [...this.#others(own), ...(parted ? [own] : [])];
  }

  #offerOf(stream: string): Offer {
    const facts = [...(this.#held.get(stream)?.values() ?? [])].sort((a, b) => a.seq - b.seq);
    const last = facts.at(-1);
    return { stream, first: facts[0]?.seq ?? 0, last: last?.seq ?? 0, hash: last?.hash ?? "" };
  }

  #salesOf(own: string): number {
    return this.#foreign(own)
      .flatMap((stream) => [...(this.#held.get(stream)?.values() ?? [])])
      .filter((facts) => facts.sale).length;
  }

  #tell(status: JournalStatus, signedIn: boolean, now: "handing" | "uploading" = "uploading"): void {
    const count = this.#salesOf(status.stream);
    const why = this.#foreign(status.stream)
      .map((stream) => this.#refused.get(stream)?.why)
      .find((each) => each !== undefined);
    const isDone = count === 0 && this.#foreignSales > 0;
    this.#doneAt = isDone ? (this.#doneAt ?? this.#now()) : null;
    if (this.#doneAt !== null && this.#now() - this.#doneAt >= DONE_MS) this.#foreignSales = 0;
    let notice: CopyNotice | null = null;
    if (count > 0 && !signedIn) notice = { kind: "locked", count };
    else if (count > 0 && why !== undefined) notice = { kind: "refused", count, why };
    else if (count > 0) notice = { kind: now, count };
    else if (this.#foreignSales > 0) notice = { kind: "done", count: this.#foreignSales };
    const text = notice === null ? "null" : `${notice.kind} ${notice.count}`;
    if (text === this.#notice) return;
    this.#notice = text;
    this.#options.onNotice(notice);
  }
}

/** A line as the box gave it; null when it is none. */
export function readLine(line: string): Carbon | null {
  try {
    const { stream, seq, hash, body } = JSON.parse(line) as Record<"stream" | "hash" | "body", string> & {
      seq: number;
    };
    const sale = (JSON.parse(body) as { type: string }).type === "sale.completed";
    return { stream, seq, hash, line, sale, bytes: new TextEncoder().encode(line).length };
  } catch {
    return null;
  }
}

/** Lines in pieces that fit into a request. */
function pieces(lines: readonly string[]): string[] {
  const found: string[] = [];
  let piece = "";
  for (const line of lines) {
    if (piece !== "" && piece.length + line.length > PIECE_CHARS) {
      found.push(piece);
      piece = "";
    }
    piece += `${line}\n`;
  }
  return piece === "" ? found : [...found, piece];
}
