"""Offers of a revision, parsed once and kept while tills price with them."""

from __future__ import annotations

import threading

import orjson
import structlog

from edge.replica.catalog import CatalogFile
from shared.price.document import parse_offer
from shared.price.document_error import DocumentRefusedError
from shared.price.offer import Offer
from shared.price.offer_book import OfferBook

BOOKS_KEPT = 8
"""The active revision, those that wait for their instants, and what open baskets may pin."""
_log = structlog.get_logger("replica")


class OfferShelf:
    """The newest offer books by catalogue file and revision.

    Offers that two revisions share are parsed once: a price change must not cost a chain's
    thousands of offers again.
    """

    def __init__(self) -> None:
        # By the open file itself: head office may begin anew, and names and numbers come again.
        self._books: dict[tuple[CatalogFile, int], OfferBook] = {}
        self._parsed: dict[bytes, Offer] = {}
        self._lock = threading.Lock()

    def book(self, file: CatalogFile, revision: int) -> OfferBook:
        """The offers of a revision, in their order of action."""
        key = (file, revision)
        book = self._books.get(key)
        if book is not None:
            return book
        with self._lock:
            book = self._books.get(key)
            if book is None:
                book = self._put(file, revision)
        return book

    def _put(self, file: CatalogFile, revision: int) -> OfferBook:
        found: dict[bytes, Offer] = {}
        for sha, body in file.offer_rows(revision):
            offer = self._parsed.get(sha) or _parse(body)
            if offer is not None:
                found[sha] = offer
        if found == self._parsed and self._books:
            book = next(reversed(self._books.values()))
        else:
            book = OfferBook.of(found.values())
        self._parsed = found
        kept = list(self._books.items())[1 - BOOKS_KEPT :]
        self._books = {**dict(kept), (file, revision): book}
        return book


def _parse(body: str) -> Offer | None:
    """The offer of a row. It was checked when it was staged, by whatever software that was."""
    try:
        return parse_offer(orjson.loads(body))
    except DocumentRefusedError as refused:
        # A shop that sells without one offer is better than a shop that does not sell.
        _log.error("offer_unreadable", errors=[each.code for each in refused.errors])
        return None
