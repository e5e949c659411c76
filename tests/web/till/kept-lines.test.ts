import { describe, expect, it } from "vitest";
import type { BasketLine, LaneView } from "../../../edge/web/src/api/lane-view.ts";
import { withKeptLines } from "../../../edge/web/src/state/kept-lines.ts";

function aLine(n: number, qty_milli = 1000): BasketLine {
  return {
    n,
    gtin: `690000000000${n}`,
    name: `商品 ${n}`,
    qty_milli,
    is_weighed: false,
    unit_minor: 199,
    gross_minor: 199,
    net_minor: 199,
    needs_price: false,
    is_overridden: false,
    modifiers: [],
  };
}

function aView(id: string, lines: BasketLine[]): LaneView {
  return { seq: 1, basket: { id, lines } } as unknown as LaneView;
}

describe("withKeptLines", () => {
  it("keeps the object of a line that did not change, and takes the one that did", () => {
    const before = aView("b1", [aLine(1), aLine(2)]);
    const after = withKeptLines(aView("b1", [aLine(1), aLine(2, 2000), aLine(3)]), before);
    expect(after.basket.lines[0]).toBe(before.basket.lines[0]);
    expect(after.basket.lines[1]).not.toBe(before.basket.lines[1]);
    expect(after.basket.lines.map((line) => line.qty_milli)).toEqual([1000, 2000, 1000]);
  });

  it("keeps nothing of another basket, and nothing at the first view", () => {
    const before = aView("b1", [aLine(1)]);
    const other = aView("b2", [aLine(1)]);
    expect(withKeptLines(other, before)).toBe(other);
    expect(withKeptLines(other, null)).toBe(other);
  });
});
