/** Files out of tables that are already on the screen. */

export type Cell = string | number | boolean | null | undefined;

function field(cell: Cell): string {
  const text = cell === null || cell === undefined ? "" : String(cell);
  // A leading formula sign would run in a spreadsheet; the apostrophe makes it text.
  const safe = typeof cell === "string" && /^[=+\-@\t]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Write rows as CSV (RFC 4180) with a byte order mark, which spreadsheets need for Chinese. */
export function csvText(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return "\uFEFF" + [header, ...rows].map((row) => row.map(field).join(",") + "\r\n").join("");
}

/** Let the browser save a text as a file. */
export function saveCsv(name: string, header: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const url = URL.createObjectURL(new Blob([csvText(header, rows)], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
