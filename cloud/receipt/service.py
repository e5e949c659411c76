"""Look a receipt up and say how it stands: by its own entry, the chain and the signed tree."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from cloud import kept
from cloud.archive.tree import proof_of
from cloud.kept import KeptEntry
from cloud.receipt import store
from cloud.receipt.store import BookedSale, Place
from cloud.signing import is_signed_by
from shared.journal.chain import HASH_BYTES
from shared.journal.proof import ReceiptProof, check_proof
from shared.kernel.canonical import sha256
from shared.kernel.errors import CorruptError
from shared.sale.receipt_code import ReceiptLink, is_code_of


class Standing(StrEnum):
    """What is said of a receipt.

    `stands`: unchanged, under a signed root. `pending`: unchanged, the day's root is yet to come.
    `broken`: unchanged itself, but what came after it was altered at head office. `changed`: head
    office's record is not what was printed from. `mismatch`: there is such a number, with another
    code. `awaited`: the store may not have sent it yet. `unknown`: there is none.
    """

    STANDS = "stands"
    PENDING = "pending"
    BROKEN = "broken"
    CHANGED = "changed"
    MISMATCH = "mismatch"
    AWAITED = "awaited"
    UNKNOWN = "unknown"


SHOWN = frozenset({Standing.STANDS, Standing.PENDING, Standing.BROKEN})
"""Where the sale itself may be shown: whoever has the code has the receipt."""


@dataclass(frozen=True, slots=True)
class Finding:
    """How a receipt stands; `sale` is its entry's body where it may be shown."""

    standing: Standing
    link: ReceiptLink
    place: Place | None = None
    sale: dict[str, Any] | None = None
    proof: ReceiptProof | None = None
    day: str = ""
    """The UTC day whose root covers it."""
    is_printed_entry: bool = True
    """Whether the entry in the chain is the one that was printed, not a carrier of it."""


def look_up(connection: Connection, link: ReceiptLink, hq_pub: bytes) -> Finding:
    """How a receipt stands; `hq_pub` is the key that signs the trees (32 bytes)."""
    place = store.find_store(connection, link.store_id)
    sales = store.find_sales(connection, link)
    if place is None or not sales:
        is_awaited = store.may_still_come(connection, link) and place is not None
        return Finding(Standing.AWAITED if is_awaited else Standing.UNKNOWN, link, place)
    for sale in sales:
        entries = kept.sale_entries(connection, link.store_id, sale.entry_id, sale.at_ms)
        for entry in entries:
            original = kept.original_of(entry)
            if original is not None and is_code_of(link.code, original.hash):
                judged = _Judged(connection, link, entry, original)
                return judged.finding(place, sale, hq_pub)
    return Finding(Standing.MISMATCH, link, place)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A receipt's entry (`original`) and where it stands in the chain (`entry`)."""

    connection: Connection
    link: ReceiptLink
    entry: KeptEntry
    original: KeptEntry

    def finding(self, place: Place, sale: BookedSale, hq_pub: bytes) -> Finding:
        body = kept.fields_of(self.original.body)
        prev = self._prev()
        if prev is None or not self._is_booked(body, sale):
            return Finding(Standing.CHANGED, self.link, place)
        shown = body if _can_be_shown(body) else None
        tree = proof_of(self.connection, bytes.fromhex(self.entry.stream), self.entry.seq)
        if tree is None:
            return Finding(Standing.PENDING, self.link, place, shown)
        first = self.entry.seq + 1
        span = (first, tree.leaf_seq)
        store_id = self.link.store_id
        links = kept.body_digests(self.connection, store_id, self.entry.stream, span)
        proof = ReceiptProof(
            self.entry.stream,
            self.entry.seq,
            prev,
            sha256(self.entry.body),
            tuple(links),
            tree,
            self.entry.body,
        )
        try:
            check_proof(proof, hq_pub, is_signed_by)
        except CorruptError:
            return Finding(Standing.BROKEN, self.link, place, shown, day=tree.head.day)
        is_itself = self.original is self.entry
        return Finding(Standing.STANDS, self.link, place, shown, proof, tree.head.day, is_itself)

    def _prev(self) -> bytes | None:
        """The hash before the entry, if entry and original follow from what is before them."""
        store_id = self.link.store_id
        prev = kept.hash_before(self.connection, store_id, self.entry)
        if prev is None or not kept.follows(self.entry, prev):
            return None
        if self.original is not self.entry:
            before = kept.hash_before(self.connection, store_id, self.original)
            # The journal that it came out of may be lost before it: then the carrier vouches.
            if before is not None and not kept.follows(self.original, before):
                return None
        assert len(prev) == HASH_BYTES
        return prev

    def _is_booked(self, body: dict[str, Any], sale: BookedSale) -> bool:
        """Whether the books say of the sale what its entry says."""
        try:
            told = body["data"]["sale"]
            amounts = told["totals"]["net_minor"], len(told["lines"]), body["at"]
            names = told["receipt_no"], body["biz"]
        except (KeyError, TypeError):
            return False
        is_named = names == (self.link.receipt_no, self.link.business_date)
        return is_named and amounts == (sale.net_minor, sale.lines, sale.at_ms)


def _can_be_shown(body: dict[str, Any]) -> bool:
    """Whether a sale has what a page needs: a broken box may have signed anything."""
    try:
        sale = body["data"]["sale"]
        numbers = [sale["totals"]["net_minor"], sale["totals"]["units"], body["at"]]
        for line in sale["lines"]:
            numbers += [line["qty_milli"], line["net_minor"]]
        names = [line["name"] for line in sale["lines"]]
    except (KeyError, TypeError):
        return False
    return all(type(n) is int for n in numbers) and all(type(name) is str for name in names)
