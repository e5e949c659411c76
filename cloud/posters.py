"""Every room that draws consequences from journal entries, in the order that they are asked."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from cloud.certificate.service import CertificatePoster
from cloud.clock import SystemClock
from cloud.ingest.entry import EntryHead
from cloud.ingest.posting import Posted, Poster, Prepared
from cloud.ledger.service import LedgerPoster
from cloud.member.poster import MemberPoster
from cloud.release.signal_store import SignalPoster
from cloud.staff.poster import StaffPoster
from shared.journal.event import DayClosed, SaleCompleted


class BooksPoster:
    """The ledger, beside it the certificates of the days it closes, the sales' signals and members.

    Each kind of entry has one poster; a day close and a sale are several rooms' matter.
    """

    entry_types = LedgerPoster.entry_types
    tables = (
        *LedgerPoster.tables,
        *CertificatePoster.tables,
        *SignalPoster.tables,
        *MemberPoster.tables,
    )

    def __init__(self) -> None:
        self._ledger = LedgerPoster()
        self._certificates = CertificatePoster()
        self._signals = SignalPoster(SystemClock())
        self._members = MemberPoster()

    def prepare(self, store_id: str, entries: Sequence[EntryHead]) -> Prepared:
        """Work out the books; have all rooms write what they want."""
        book = self._ledger.prepare(store_id, entries)
        closes = [entry for entry in entries if entry.type == DayClosed.type]
        sales = [entry for entry in entries if entry.type == SaleCompleted.type]
        add_signals = self._signals.prepare(store_id, sales)
        add_members = self._members.prepare(store_id, sales)

        def post(connection: Connection) -> Posted:
            booked = book(connection)
            if closes:
                self._certificates.post(connection, store_id, closes)
            add_signals(connection)
            add_members(connection)
            return booked

        return post

    def posted(self, connection: Connection, store_id: str, ids: Sequence[str]) -> set[str]:
        """Which entries are in the store's books already, and so in both."""
        return self._ledger.posted(connection, store_id, ids)

    def differing(
        self, connection: Connection, store_id: str, entries: Sequence[EntryHead]
    ) -> set[str]:
        """Ids of entries whose id is in the books for another sale or day."""
        return self._ledger.differing(connection, store_id, entries)


POSTERS: tuple[Poster, ...] = (BooksPoster(), StaffPoster(SystemClock()))
"""The worker, the API and a rebuild post with the same ones."""
