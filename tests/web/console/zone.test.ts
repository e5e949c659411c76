import { expect, test } from "vitest";
import { instantOf, localText } from "../../../cloud/web/src/lib/zone.ts";

const at = (iso: string): number => Date.parse(iso);

test("a store's wall clock becomes an instant, summer and winter", () => {
  expect(instantOf("2026-07-01T08:00", "America/New_York")).toBe(at("2026-07-01T12:00:00Z"));
  expect(instantOf("2026-01-15T08:00", "America/New_York")).toBe(at("2026-01-15T13:00:00Z"));
  expect(instantOf("2026-07-01T08:00", "Asia/Shanghai")).toBe(at("2026-07-01T00:00:00Z"));
});

test("the hours around a change of summer time are told apart", () => {
  expect(instantOf("2026-03-08T01:59", "America/New_York")).toBe(at("2026-03-08T06:59:00Z"));
  expect(instantOf("2026-03-08T03:00", "America/New_York")).toBe(at("2026-03-08T07:00:00Z"));
  expect(instantOf("2026-11-01T03:00", "America/New_York")).toBe(at("2026-11-01T08:00:00Z"));
});

test("what was written is read back", () => {
  for (const zone of ["Asia/Taipei", "America/New_York", "UTC", "Asia/Kathmandu"]) {
    const local = localText(at("2026-05-05T05:45:00Z"), zone);
    expect(instantOf(local, zone)).toBe(at("2026-05-05T05:45:00Z"));
  }
});

test("what is no date is refused", () => {
  expect(instantOf("", "UTC")).toBeNull();
  expect(instantOf("2026-13-01T00:00", "UTC")).toBeNull();
});
