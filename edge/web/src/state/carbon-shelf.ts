/** Copies of journal entries in this browser's IndexedDB: they outlast a reload and a dead box. */
import type { Carbon, CarbonFacts, Shelf } from "./carbon-keeper.ts";

const DATABASE = "tillbox-copies";
const LINES = "line";
const FACTS = "facts";

const range = (stream: string, first: number, last: number): IDBKeyRange =>
  IDBKeyRange.bound([stream, first], [stream, last]);

export class IndexedShelf implements Shelf {
  #opened: Promise<IDBDatabase> | null = null;

  async facts(): Promise<CarbonFacts[]> {
    const database = await this.#database();
    return answer(database.transaction(FACTS).objectStore(FACTS).getAll() as IDBRequest<CarbonFacts[]>);
  }

  async put(carbons: readonly Carbon[]): Promise<void> {
    await this.#write((lines, facts) => {
      for (const { line, ...rest } of carbons) {
        lines.put(line, [rest.stream, rest.seq]);
        facts.put(rest, [rest.stream, rest.seq]);
      }
    });
    // A browser short of room may throw away what nobody asked it to keep.
    void navigator.storage?.persist?.();
  }

  async drop(stream: string, seq: number): Promise<void> {
    await this.#write((lines, facts) => {
      lines.delete(range(stream, 0, seq));
      facts.delete(range(stream, 0, seq));
    });
  }

  async lines(stream: string, first: number, last: number): Promise<string[]> {
    const database = await this.#database();
    const store = database.transaction(LINES).objectStore(LINES);
    return answer(store.getAll(range(stream, first, last)) as IDBRequest<string[]>);
  }

  async #write(act: (lines: IDBObjectStore, facts: IDBObjectStore) => void): Promise<void> {
    const database = await this.#database();
    // "strict": on the disk before it counts; a tablet may lose its power with the box.
    const transaction = database.transaction([LINES, FACTS], "readwrite", { durability: "strict" });
    act(transaction.objectStore(LINES), transaction.objectStore(FACTS));
    await new Promise<void>((done, failed) => {
      transaction.oncomplete = () => done();
      transaction.onabort = () => failed(transaction.error ?? new Error("the browser keeps nothing"));
    });
  }

  #database(): Promise<IDBDatabase> {
    this.#opened ??= this.#open();
    this.#opened.catch(() => (this.#opened = null));
    return this.#opened;
  }

  async #open(): Promise<IDBDatabase> {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(LINES);
      request.result.createObjectStore(FACTS);
    };
    return answer(request);
  }
}

function answer<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error ?? new Error("the browser keeps nothing"));
  });
}
