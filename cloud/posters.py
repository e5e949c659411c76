"""Every room that draws consequences from journal entries, in the order that they are asked."""

from __future__ import annotations

from cloud.ingest.posting import Poster
from cloud.ledger.service import LedgerPoster

POSTERS: tuple[Poster, ...] = (LedgerPoster(),)
"""The worker, the API and a rebuild post with the same ones."""
