"""What an offer document would change. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from cloud.offer.store import ACTIVE, ENDED, OfferVersion
from shared.price.document import dump_offer
from shared.price.document_offer import OfferEntry


class ChangeKind(StrEnum):
    """What becomes of an offer."""

    CREATED = "created"
    CHANGED = "changed"
    ENDED = "ended"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class OfferChange:
    """One offer before and after; `words` are those of its document that differ."""

    kind: ChangeKind
    before: OfferVersion | None
    after: OfferVersion
    words: tuple[str, ...] = ()

    @property
    def is_change(self) -> bool:
        """Whether anything becomes different."""
        return self.kind is not ChangeKind.UNCHANGED

    @property
    def offer_id(self) -> str:
        """Whose change it is."""
        return self.after.offer_id


def plan_import(
    entries: Sequence[OfferEntry], current: Mapping[str, OfferVersion], *, is_replacing: bool
) -> tuple[OfferChange, ...]:
    """The changes that make these offers so, in their order; with `is_replacing`, end all others.

    An offer that already says the same is unchanged. The version that a document states is
    not looked at: head office counts them.
    """
    changes = [_change(wanted_of(entry), current.get(entry.offer.id)) for entry in entries]
    if is_replacing:
        named = {change.offer_id for change in changes}
        rest = (ended(each) for each in current.values() if each.offer_id not in named)
        changes += (change for change in rest if change is not None)
    return tuple(changes)


def wanted_of(entry: OfferEntry) -> OfferVersion:
    """An entry as the first version of its offer."""
    stores = None if entry.stores is None else tuple(sorted(set(entry.stores)))
    document = dump_offer(replace(entry.offer, version=1))
    return OfferVersion(entry.offer.id, 1, ACTIVE, document, stores)


def ended(before: OfferVersion) -> OfferChange | None:
    """The end of an offer; None where it has ended."""
    if not before.is_active:
        return None
    after = replace(before, version=before.version + 1, state=ENDED)
    return OfferChange(ChangeKind.ENDED, before, after)


def after_import(
    changes: Iterable[OfferChange], current: Mapping[str, OfferVersion]
) -> dict[str, OfferVersion]:
    """The active offers once the changes are made."""
    planned = {**current, **{change.offer_id: change.after for change in changes}}
    return {offer_id: each for offer_id, each in planned.items() if each.is_active}


def rule_sets(
    offers: Iterable[OfferVersion], store_ids: Iterable[str]
) -> Iterator[tuple[str, tuple[OfferVersion, ...]]]:
    """Each different set of offers that stores sell by, with the first store that does.

    Without a store: the offers that are meant for all, and no store's id.
    """
    known = tuple(offers)
    seen = set[tuple[str, ...]]()
    for store_id in tuple(store_ids) or ("",):
        found = tuple(each for each in known if each.is_in(store_id))
        ids = tuple(each.offer_id for each in found)
        if found and ids not in seen:
            seen.add(ids)
            yield store_id, found


def _change(wanted: OfferVersion, before: OfferVersion | None) -> OfferChange:
    if before is None:
        return OfferChange(ChangeKind.CREATED, None, wanted)
    words = _words(before, wanted)
    if not words and before.is_active:
        return OfferChange(ChangeKind.UNCHANGED, before, before)
    after = replace(wanted, version=before.version + 1)
    return OfferChange(ChangeKind.CHANGED, before, after, words)


def _words(before: OfferVersion, after: OfferVersion) -> tuple[str, ...]:
    both = sorted(before.document.keys() | after.document.keys())
    found = [word for word in both if before.document.get(word) != after.document.get(word)]
    return (*found, *(["stores"] if before.stores != after.stores else []))
