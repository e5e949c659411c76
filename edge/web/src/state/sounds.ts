/**
 * Three sounds, unlike each other and unlike a scanner's own beep: taken, taken again, not taken.
 * They are made with oscillators, so nothing is downloaded.
 */

export type Sound = "ok" | "repeat" | "error";

/** [frequency Hz, start s, length s] of each tone, and its wave. */
const SCORES: Readonly<Record<Sound, { wave: OscillatorType; tones: readonly number[][] }>> = {
  ok: { wave: "sine", tones: [[1320, 0, 0.07]] },
  repeat: { wave: "sine", tones: [[1046, 0, 0.05], [1568, 0.07, 0.06]] },
  error: { wave: "square", tones: [[220, 0, 0.16], [165, 0.2, 0.26]] },
};
const LOUDNESS: Readonly<Record<Sound, number>> = { ok: 0.25, repeat: 0.25, error: 0.3 };
/** Sounds of one burst of scans follow each other by this much. */
const GAP_S = 0.09;

export class Sounds {
  #audio: AudioContext | null = null;
  #freeAt = 0;
  /** How many of each were asked for; the tests listen here. */
  readonly played: Record<Sound, number> = { ok: 0, repeat: 0, error: 0 };

  /** Browsers allow sound only after a touch or key: call this from the first one. */
  unlock(): void {
    this.#audio ??= new AudioContext({ latencyHint: "interactive" });
    if (this.#audio.state === "suspended") void this.#audio.resume();
  }

  play(sound: Sound): void {
    this.played[sound] += 1;
    if (sound === "error" && "vibrate" in navigator && this.#audio !== null) navigator.vibrate(200);
    if (this.#audio === null || this.#audio.state !== "running") return;
    const startAt = Math.max(this.#audio.currentTime, this.#freeAt);
    this.#freeAt = startAt + GAP_S;
    const { wave, tones } = SCORES[sound];
    for (const [hertz = 0, offset = 0, length = 0] of tones) {
      this.#tone(this.#audio, { wave, hertz, from: startAt + offset, length, gain: LOUDNESS[sound] });
    }
  }

  #tone(
    audio: AudioContext,
    tone: { wave: OscillatorType; hertz: number; from: number; length: number; gain: number },
  ): void {
    const source = audio.createOscillator();
    const gain = audio.createGain();
    source.type = tone.wave;
    source.frequency.value = tone.hertz;
    // A short ramp at both ends: a tone cut hard clicks.
    gain.gain.setValueAtTime(0, tone.from);
    gain.gain.linearRampToValueAtTime(tone.gain, tone.from + 0.005);
    gain.gain.setValueAtTime(tone.gain, tone.from + tone.length - 0.01);
    gain.gain.linearRampToValueAtTime(0, tone.from + tone.length);
    source.connect(gain).connect(audio.destination);
    source.start(tone.from);
    source.stop(tone.from + tone.length);
  }
}
