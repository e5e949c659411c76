/** Short messages for the eye (toasts) and for the ear (live regions). */

export type NoticeTone = "good" | "bad" | "info";
export interface Notice {
  readonly id: number;
  readonly tone: NoticeTone;
  readonly text: string;
}

export class Notices {
  shown: readonly Notice[] = $state.raw([]);
  polite = $state("");
  assertive = $state("");
  #last = 0;

  /** Show a toast for a while; a refusal is also spoken at once. */
  show(tone: NoticeTone, text: string, forMs = 5000): void {
    this.#last += 1;
    const id = this.#last;
    this.shown = [...this.shown.slice(-2), { id, tone, text }];
    this.say(text, tone === "bad");
    setTimeout(() => this.dismiss(id), forMs);
  }

  dismiss(id: number): void {
    this.shown = this.shown.filter((notice) => notice.id !== id);
  }

  /** Speak only.  A repeated text gets a changed tail, or a reader would keep silent. */
  say(text: string, urgent = false): void {
    if (urgent) this.assertive = this.assertive === text ? `${text}\u00a0` : text;
    else this.polite = this.polite === text ? `${text}\u00a0` : text;
  }
}
