/** Wall-clock texts of a time zone, as date and time inputs use them. */

/** Instant (UTC ms) of a wall-clock text "YYYY-MM-DDTHH:MM" in a time zone; null when unreadable. */
export function instantOf(local: string, timeZone: string): number | null {
  if (!/^\d{4,6}-\d\d-\d\dT\d\d:\d\d$/.test(local)) return null;
  const asUtc = Date.parse(`${local}:00Z`);
  if (Number.isNaN(asUtc)) return null;
  // The offset is read at the guess, then once more at the corrected guess: enough around a change
  // of summer time, where a local hour that does not exist moves to the hour after it.
  const first = asUtc - offsetMs(asUtc, timeZone);
  return asUtc - offsetMs(first, timeZone);
}

/** Wall-clock text "YYYY-MM-DDTHH:MM" of an instant in a time zone, as `<input>` wants it. */
export function localText(atMs: number, timeZone: string): string {
  return new Date(atMs + offsetMs(atMs, timeZone)).toISOString().slice(0, 16);
}

function offsetMs(atMs: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(atMs);
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value);
  const wall = Date.UTC(
    part("year"),
    part("month") - 1,
    part("day"),
    part("hour"),
    part("minute"),
    part("second"),
  );
  return wall - Math.floor(atMs / 1000) * 1000;
}
