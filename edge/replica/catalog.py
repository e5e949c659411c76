"""One catalogue file, open for reading: look-ups in tens of microseconds, search in tens of ms."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any

import orjson

from edge.replica.build import Contents, read_contents
from edge.replica.schema import other_id
from edge.sqlite import connect_reader
from shared.item.item import Item, item_changes_of
from shared.item.pack_code import pack_codes_of
from shared.kernel.gtin import Gtin
from shared.price.levels import parse_record_key, prices_of, record_keys
from shared.price.price_book import DatedPrice
from shared.staff.badge import BadgeHash, parse_badge

_ITEM = (
    "SELECT gtin, name, department, category, brand, package_size, is_weighed, plu, tags, tax_bp,"
    " is_promotable, floor_minor, uom, codes, age_limit, tax_class, later, image FROM item"
)
_LIVE = " AND rev_from<=? AND rev_to>?"
_PRICES = "SELECT gtin, prices FROM price WHERE gtin IN (?,?,?) AND rev_from<=? AND rev_to>?"
_CODES = "SELECT gtin, codes FROM item WHERE codes>'' AND rev_from<=? AND rev_to>?"
_OTHER = "SELECT body FROM other WHERE id=? AND rev_from<=? AND rev_to>?"
_NAME = " AND name LIKE ? ESCAPE '\\'"
_NUMBER_OR_NAME = " AND (name LIKE ? ESCAPE '\\' OR gtin LIKE ? OR plu LIKE ?)"
_BEST_FIRST = (
    " ORDER BY name LIKE ? ESCAPE '\\' DESC, name LIKE ? ESCAPE '\\' DESC, name, gtin LIMIT ?"
)
_SEARCH_WORDS_MAX = 6
_CODE_MAPS_KEPT = 3
_NUMBER_DIGITS_MIN = 4
"""Shorter numbers are parts of names ("7 Up"), not endings of codes."""


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Somebody who may sign in at this store; `pin_hash` is an argon2id string."""

    id: str
    name: str
    role: str
    pin_hash: str
    permissions: tuple[str, ...]
    valid_from: str = ""
    valid_to: str = ""
    """The first and the last day (ISO, on the store's clock) of signing in; "" is open."""
    pin_day: str = ""
    """The day (ISO) on which the PIN was set; "" for one that nobody knows."""
    is_first_pin: bool = False
    """Somebody else set the PIN: the operator has to choose one of their own."""
    badge: BadgeHash | None = None

    def is_valid(self, day: str) -> bool:
        """Whether they may sign in on a day (ISO); on the day "" whoever is employed may."""
        return not day or self.valid_from <= day <= (self.valid_to or day)


class CatalogFile:
    """Reads one catalogue file.

    Look-ups and searches have a connection each, so that a search on one lane does not hold up a
    scan on another. `zone` is the store's, for prices that begin by its own clock.
    """

    def __init__(self, path: Path, zone: tzinfo = UTC) -> None:
        self.path = path
        self._zone = zone
        self._lookup = connect_reader(path)
        self._lookup_lock = threading.Lock()
        self._search = connect_reader(path)
        self._search_lock = threading.Lock()
        self._codes: dict[int, dict[str, str]] = {}
        self.first_rev, self.contents = read_contents(self._lookup)

    def holds(self, revision: int) -> bool:
        """Whether the file can show that revision."""
        return self.first_rev <= revision <= self.contents.rev

    def advanced(self, contents: Contents) -> None:
        """A delta was committed into the file."""
        self.contents = contents

    def close(self) -> None:
        """Close both connections."""
        with self._lookup_lock, self._search_lock:
            self._lookup.close()
            self._search.close()

    def find_item(self, gtin: str, revision: int) -> Item | None:
        """The item with that GTIN, or with that further barcode, in a revision."""
        found = self._by_gtin(gtin, revision)
        if found is not None:
            return found
        owner = self.codes(revision).get(gtin)
        return None if owner is None else self._by_gtin(owner, revision)

    def codes(self, revision: int) -> dict[str, str]:
        """Further barcodes of a revision, each with the GTIN of its item; read once."""
        found = self._codes.get(revision)
        if found is None:
            rows = self._rows(_CODES, (revision, revision))
            found = {code[0]: gtin for gtin, codes in rows for code in orjson.loads(codes)}
            newest = sorted({*self._codes, revision})[-_CODE_MAPS_KEPT:]
            kept = {rev: codes for rev, codes in self._codes.items() if rev in newest}
            self._codes = kept | {revision: found}
        return found

    def find_plu(self, plu: str, revision: int) -> Item | None:
        """The weighed item with that price look-up number in a revision."""
        return self._item(_ITEM + " WHERE plu=?" + _LIVE, (plu, revision, revision))

    def dated_prices(self, gtin: str, revision: int) -> tuple[DatedPrice, ...]:
        """What an item costs from which instant on in a revision, whoever says it; () for never."""
        rows = self._rows(_PRICES, (*record_keys(gtin), revision, revision))
        return parse_prices(rows, self._zone) if rows else ()

    def other(self, kind: str, key: str, revision: int) -> dict[str, Any] | None:
        """The body of a record of a kind that has no table of its own."""
        rows = self._rows(_OTHER, (other_id(kind, key), revision, revision))
        body: dict[str, Any] | None = orjson.loads(rows[0][0]) if rows else None
        return body

    def staff(self, revision: int) -> tuple[StaffMember, ...]:
        """Everybody who may sign in, by name."""
        rows = self._rows(
            "SELECT operator, name, role, pin_hash, permissions, valid_from, valid_to, pin_day,"
            " is_first_pin, badge FROM staff"
            " WHERE rev_from<=? AND rev_to>? ORDER BY name, operator",
            (revision, revision),
        )
        return tuple(
            StaffMember(
                key,
                name,
                role,
                pin_hash,
                tuple(orjson.loads(permissions or "[]")),
                first_day or "",
                last_day or "",
                pin_day or "",
                bool(is_first),
                parse_badge(orjson.loads(badge)) if badge else None,
            )
            for key, name, role, pin_hash, permissions, first_day, last_day, *rest in rows
            for pin_day, is_first, badge in (rest,)
        )

    def offer_rows(self, revision: int) -> list[tuple[bytes, str]]:
        """Hash and JSON body of each offer in a revision."""
        query = "SELECT hash, body FROM offer WHERE rev_from<=? AND rev_to>?"
        return [(row[0], row[1]) for row in self._rows(query, (revision, revision))]

    def search(self, text: str, limit: int, revision: int) -> list[Item]:
        """Items whose name contains every word of `text`; of a number, GTIN or PLU may end in it.

        Names that begin with the whole text come first, then those that contain it.
        """
        words = text.split()[:_SEARCH_WORDS_MAX]
        if not words:
            return []
        phrase = _escaped(" ".join(words))
        parameters: list[Any] = [revision, revision]
        query = _ITEM + " WHERE rev_from<=? AND rev_to>?"
        for word in words:
            query += _NUMBER_OR_NAME if _is_number(word) else _NAME
            parameters += [f"%{_escaped(word)}%", *([f"%{word}"] * 2 * _is_number(word))]
        query += _BEST_FIRST
        parameters += [f"{phrase}%", f"%{phrase}%", limit]
        with self._search_lock:
            rows = self._search.execute(query, parameters).fetchall()
        return [_item_of(row) for row in rows]

    def first_items(self, limit: int, revision: int) -> list[Item]:
        """The first items by GTIN."""
        query = _ITEM + " WHERE rev_from<=? AND rev_to>? ORDER BY gtin LIMIT ?"
        return [_item_of(row) for row in self._rows(query, (revision, revision, limit))]

    def repriced(self, old_rev: int, new_rev: int, limit: int) -> list[str]:
        """GTINs of items with a price record that differs between two revisions of this file.

        At most `limit` records are looked at, all of them with -1.
        """
        query = """
            SELECT gtin FROM price WHERE rev_from>?1 AND rev_from<=?2 AND rev_to>?2
            UNION SELECT gtin FROM price WHERE rev_from<=?1 AND rev_to>?1 AND rev_to<=?2 LIMIT ?3
        """
        with self._search_lock:
            rows = self._search.execute(query, (old_rev, new_rev, limit)).fetchall()
        return _gtins(rows)

    def repriced_since(self, other: Path, old_rev: int, new_rev: int, limit: int) -> list[str]:
        """As `repriced`, against a revision that lies in another catalogue file."""
        query = """
            SELECT new.gtin FROM price new
            LEFT JOIN other.price old ON old.gtin=new.gtin AND old.rev_from<=?1 AND old.rev_to>?1
            WHERE new.rev_from<=?2 AND new.rev_to>?2 AND old.prices IS NOT new.prices
            UNION ALL SELECT old.gtin FROM other.price old
            LEFT JOIN main.price new ON new.gtin=old.gtin AND new.rev_from<=?2 AND new.rev_to>?2
            WHERE old.rev_from<=?1 AND old.rev_to>?1 AND new.gtin IS NULL LIMIT ?3
        """
        with self._search_lock:
            self._search.execute("ATTACH DATABASE ? AS other", (str(other),))
            try:
                rows = self._search.execute(query, (old_rev, new_rev, limit)).fetchall()
            finally:
                self._search.execute("DETACH DATABASE other")
        return _gtins(rows)

    def _by_gtin(self, gtin: str, revision: int) -> Item | None:
        return self._item(_ITEM + " WHERE gtin=?" + _LIVE, (gtin, revision, revision))

    def _item(self, query: str, parameters: Sequence[Any]) -> Item | None:
        rows = self._rows(query, parameters)
        return _item_of(rows[0]) if rows else None

    def _rows(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._lookup_lock:
            return self._lookup.execute(query, parameters).fetchall()


def parse_prices(rows: Iterable[tuple[str, str]], zone: tzinfo) -> tuple[DatedPrice, ...]:
    """Dated prices of one item, of its records' keys and prices as the price table keeps them."""
    said = {parse_record_key(key)[1]: orjson.loads(prices) for key, prices in rows}
    return prices_of(said, zone)


def _gtins(rows: Iterable[tuple[str]]) -> list[str]:
    return list(dict.fromkeys(parse_record_key(row[0])[0] for row in rows))


def _item_of(row: sqlite3.Row | tuple[Any, ...]) -> Item:
    gtin, name, department, category, brand, package_size, is_weighed, plu, *pricing = row
    tags, tax_bp, is_promotable, floor_minor, uom, codes, age_limit, tax_class, *rest = pricing
    later, image = rest
    return Item(
        Gtin(gtin),
        name,
        department,
        category,
        brand,
        package_size,
        bool(is_weighed),
        plu,
        # Rows of a file that older software made say nothing of these.
        tuple(orjson.loads(tags or "[]")),
        tax_bp or 0,
        is_promotable is None or bool(is_promotable),
        floor_minor or 0,
        uom or "",
        pack_codes_of(orjson.loads(codes)) if codes else (),
        age_limit or 0,
        tax_class or "",
        item_changes_of(orjson.loads(later)) if later else (),
        image or "",
    )


def _is_number(word: str) -> bool:
    return word.isdecimal() and len(word) >= _NUMBER_DIGITS_MIN


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
