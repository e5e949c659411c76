"""Stacking offers that meet on the same goods at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from shared.price.lint_catalogue import Mask, first_of
from shared.price.lint_finding import Finding, Severity
from shared.price.lint_reach import told
from shared.price.lint_subject import Survey
from shared.price.lint_window import may_meet, span_of
from shared.price.offer import Level, Offer, Validity

PAIRS_TOLD_MAX = 500
PAIRS_TRIED_MAX = 400_000
FOREVER = 1 << 60
OFFERS_NAMED_MAX = 20

_warning, _info = partial(told, Severity.WARNING), partial(told, Severity.INFO)


@dataclass(eq=False, slots=True)
class _Kin:
    """Offers of one level on the same goods at the same times."""

    level: Level
    goods: Mask
    valid: Validity
    places: tuple[int, ...] | None
    offers: list[Offer] = field(default_factory=list)
    start: int = field(init=False)
    end: int = field(init=False)

    def __post_init__(self) -> None:
        start, end = span_of(self.valid)
        self.start = -FOREVER if start is None else start
        self.end = FOREVER if end is None else end


def overlaps(survey: Survey) -> Iterator[Finding]:
    """Pairs on one level one by one; on top of earlier levels one finding for each offer."""
    kins = _kins(survey)
    for kin in kins:
        if len(kin.offers) > 1:
            yield _told(survey, kin.offers, kin.level, kin.goods)
    told_count = 0
    below: dict[_Kin, tuple[int, _Kin]] = {}
    for tried, (late, early) in enumerate(_meeting(kins)):
        if tried >= PAIRS_TRIED_MAX or told_count >= PAIRS_TOLD_MAX:
            yield _info((), "overlap_more", count=told_count)
            break
        if not may_meet(early.valid, late.valid):
            continue
        if early.level is late.level:
            told_count += 1
            offers = [*early.offers, *late.offers]
            yield _told(survey, offers, early.level, early.goods & late.goods)
        else:
            count, example = below.get(late, (0, early))
            below[late] = count + len(early.offers), example
    for kin, (count, example) in below.items():
        item = survey.catalogue.items[first_of(kin.goods & example.goods)].sku
        offers = [*kin.offers[:1], *example.offers[:1]]
        yield _info(offers, "overlap_levels", other=example.offers[0].id, count=count, item=item)


def _told(survey: Survey, offers: list[Offer], level: Level, goods: Mask) -> Finding:
    item = survey.catalogue.items[first_of(goods)].sku
    # Coupons and thresholds on the whole basket are meant to meet; specials on goods seldom are.
    tell = _info if level is Level.BASKET else _warning
    named = offers[:OFFERS_NAMED_MAX]
    return tell(named, "overlap", offers=len(offers), item=item, count=goods.bit_count())


def _kins(survey: Survey) -> list[_Kin]:
    found: dict[tuple[Level, Mask, Validity], _Kin] = {}
    for subject in survey.subjects:
        if subject.is_stacking and subject.goods:
            offer = subject.offer
            key = (offer.level, subject.goods, offer.valid)
            kin = found.setdefault(key, _Kin(*key, subject.places))
            kin.offers.append(offer)
    return list(found.values())


def _meeting(kins: list[_Kin]) -> Iterator[tuple[_Kin, _Kin]]:
    """Each pair with goods and days in common once, the later one in order of action first."""
    by_item: dict[int, list[int]] = {}
    wide: list[int] = []
    for late, kin in enumerate(kins):
        narrow = {early for place in kin.places or () for early in by_item.get(place, ())}
        others = wide if kin.places is not None else range(late)
        near = sorted({*narrow, *others})
        for early in map(kins.__getitem__, near):
            is_near = early.start < kin.end and kin.start < early.end
            if is_near and early.goods & kin.goods:
                yield kin, early
        if kin.places is None:
            wide.append(late)
        for place in kin.places or ():
            by_item.setdefault(place, []).append(late)
