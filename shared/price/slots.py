"""Fill the places of a bundle with the dearest units that fit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.price.goods import Unit


def fill_slots(
    free: Sequence[Unit], takers: Mapping[int, tuple[int, ...]], places: int
) -> list[Unit]:
    """One unit for each place, of `free` in its order; empty when some place stays empty.

    `takers` names per line the places that its units may fill. A unit is taken when all units
    taken so far still fit beside it (augmenting paths in a bipartite graph), which for places
    that share goods finds the dearest filling there is, not merely the first.
    """
    filled: list[Unit | None] = [None] * places
    taken = 0
    for unit in free:
        if taken == places:
            break
        taken += _seat(unit, takers, filled, set())
    return [unit for unit in filled if unit is not None] if taken == places else []


def _seat(
    unit: Unit,
    takers: Mapping[int, tuple[int, ...]],
    filled: list[Unit | None],
    tried: set[int],
) -> bool:
    """Seat a unit, moving others where they can move; False leaves everything as it was."""
    for place in takers.get(unit.line, ()):
        if place in tried:
            continue
        tried.add(place)
        sitting = filled[place]
        if sitting is None or _seat(sitting, takers, filled, tried):
            filled[place] = unit
            return True
    return False
