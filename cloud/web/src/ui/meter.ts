/** One part of a bar: what it is called, how much of it there is, how it looks. */
export interface MeterPart {
  label: string;
  value: number;
  tone: "good" | "info" | "faint" | "warn" | "bad" | "quiet";
}
