"""What this store prints beside text: its logo, and scripts that a printer lacks."""

from __future__ import annotations

from pathlib import Path

from edge.device.escpos import Artwork
from edge.device.escpos_profile import PrinterProfile
from edge.device.paper_drawing import LineDrawer, logo_of
from edge.device.paper_raster import Raster
from edge.settings import ReceiptSettings

_LOGOS_MAX = 8
"""A store has printers of one or two widths; a changed picture counts anew."""


class StoreArtwork:
    """The pictures of a store's receipts, each made once per width of paper."""

    def __init__(self, folder: Path, settings: ReceiptSettings) -> None:
        self._logo = folder / settings.logo if settings.logo else None
        self._drawer = LineDrawer(settings.raster_font)
        self._made: dict[tuple[int, int, int], Raster | None] = {}

    def of(self, profile: PrinterProfile) -> Artwork:
        """The pictures for one kind of printer; a logo that cannot be read is left out."""
        return Artwork(self._logo_for(profile.paper_dots), self._drawer.draw)

    def _logo_for(self, dots: int) -> Raster | None:
        if self._logo is None:
            return None
        try:
            found = self._logo.stat()
        except OSError:
            return None
        key = (dots, found.st_mtime_ns, found.st_size)
        if key not in self._made:
            while len(self._made) >= _LOGOS_MAX:
                del self._made[next(iter(self._made))]
            self._made[key] = logo_of(self._logo, dots)
        return self._made[key]
