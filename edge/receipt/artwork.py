"""What this store prints beside text: its logo, and scripts that a printer lacks."""

from __future__ import annotations

from collections.abc import Callable
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

    def __init__(
        self,
        folder: Path,
        settings: ReceiptSettings,
        wanted: Callable[[], bytes | None] = lambda: None,
    ) -> None:
        """`wanted` is head office's logo: b"" for none, None where it leaves that to the box."""
        self._wanted = wanted
        self._logo = folder / settings.logo if settings.logo else None
        self._drawer = LineDrawer(settings.raster_font)
        self._made: dict[tuple[int, object], Raster | None] = {}

    def of(self, profile: PrinterProfile) -> Artwork:
        """The pictures for one kind of printer; a logo that cannot be read is left out."""
        return Artwork(self._logo_for(profile.paper_dots), self._drawer.draw)

    def _logo_for(self, dots: int) -> Raster | None:
        wanted = self._wanted()
        if wanted is not None:
            return self._kept(dots, wanted, wanted) if wanted else None
        if self._logo is None:
            return None
        try:
            found = self._logo.stat()
        except OSError:
            return None
        return self._kept(dots, (found.st_mtime_ns, found.st_size), self._logo)

    def _kept(self, dots: int, version: object, source: Path | bytes) -> Raster | None:
        key = (dots, version)
        if key not in self._made:
            while len(self._made) >= _LOGOS_MAX:
                del self._made[next(iter(self._made))]
            self._made[key] = logo_of(source, dots)
        return self._made[key]
