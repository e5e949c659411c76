import type { BasketLine, LaneView } from "../api/lane-view.ts";

/** The view with the very objects of the lines that did not change since the previous one.
 *
 * The box pushes whole views.  A row whose object is the same is not rendered again, so that a
 * scan into a long basket costs one row, not all of them. */
export function withKeptLines(view: LaneView, previous: LaneView | null): LaneView {
  if (previous === null || previous.basket.id !== view.basket.id) return view;
  const before = new Map(previous.basket.lines.map((line) => [line.n, line]));
  const lines = view.basket.lines.map((line) => kept(line, before.get(line.n)));
  return { ...view, basket: { ...view.basket, lines } };
}

function kept(line: BasketLine, before: BasketLine | undefined): BasketLine {
  // Both come from the same serializer, so equal lines have equal texts.
  const same = before !== undefined && JSON.stringify(before) === JSON.stringify(line);
  return same ? before : line;
}
