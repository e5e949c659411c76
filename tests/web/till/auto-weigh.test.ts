import { describe, expect, it } from "vitest";
import { AutoWeigh } from "../../../edge/web/src/state/auto-weigh.ts";

function sold(...conditions: string[]): boolean[] {
  const auto = new AutoWeigh();
  return conditions.map((condition) => auto.sees(condition));
}

describe("a weight that is sold untouched", () => {
  it("is what came onto an empty pan, once", () => {
    expect(sold("zero", "moving", "stable", "stable")).toEqual([false, false, true, false]);
    expect(sold("tare_above", "moving", "stable")).toEqual([false, false, true]);
  });

  it("is never what lay there before the goods were named", () => {
    expect(sold("ready", "absent", "stable")).toEqual([false, false, false]);
    expect(sold("stable", "moving", "stable")).toEqual([false, false, false]);
    expect(sold("stable", "unknown", "over", "stable")).toEqual([false, false, false, false]);
  });
});
