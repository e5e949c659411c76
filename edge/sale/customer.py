"""The customer's side of a lane: who may look at it, and the short rows of a serial display."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
import structlog

from edge.desk.desk import Desk
from edge.desk.state import View
from edge.device.ports import DisplayPort
from edge.sale.customer_view import RowStyle, customer_rows
from edge.settings import Settings
from edge.sqlite import Writer
from edge.texts import load_texts
from shared.kernel.money import currency_of

KEYS_PER_LANE = 4
_IDLE_AFTER_S = 20.0
_JOIN_S = 3.0
_log = structlog.get_logger("customer")


class DisplayKeys:
    """Keys by which a customer display follows its lane; they outlive restarts, not new keys."""

    def __init__(self, database: Writer) -> None:
        self._database = database
        self._lane_of: dict[bytes, int] = {}

    def load(self) -> None:
        """Bring back the keys of before a restart."""
        rows = self._database.rows("SELECT key_sha256, lane FROM display_key")
        self._lane_of = {row[0]: row[1] for row in rows}

    def add(self, key: str, lane: int) -> None:
        """Let a display with that key follow the lane; the lane's oldest key goes."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO display_key(key_sha256, lane) VALUES(?,?)", (_sha256(key), lane)
            )
            connection.execute(
                "DELETE FROM display_key WHERE lane=?1 AND n NOT IN"
                " (SELECT n FROM display_key WHERE lane=?1 ORDER BY n DESC LIMIT ?2)",
                (lane, KEYS_PER_LANE),
            )
        self.load()

    def lane_of(self, key: str) -> int | None:
        """The lane of a key."""
        return self._lane_of.get(_sha256(key))


class DisplayFeed:
    """Sets the newest view of each lane on its serial display, on one thread of its own."""

    def __init__(self, displays: Mapping[int, DisplayPort], style: RowStyle) -> None:
        self._displays = displays
        self._style = style
        self._newest: dict[int, View] = {}
        self._changed = threading.Event()
        self._is_stopping = False
        self._thread: threading.Thread | None = None

    def start(self, desk: Desk) -> None:
        """Follow every lane that has a display; nothing where none has."""
        for lane in self._displays:
            if lane in desk.numbers:
                desk.watch(lane, _LaneSink(lane, self))
        if self._displays:
            self._thread = threading.Thread(target=self._run, name="customer-rows", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Show nothing more; safe to call twice."""
        self._is_stopping = True
        self._changed.set()
        if self._thread is not None:
            self._thread.join(_JOIN_S)

    def offer(self, lane: int, view: View) -> None:
        """Take a lane's view; the lane's thread goes on at once."""
        self._newest[lane] = view
        self._changed.set()

    def _run(self) -> None:
        shown: dict[int, View] = {}
        while not self._is_stopping:
            is_changed = self._changed.wait(_IDLE_AFTER_S)
            self._changed.clear()
            for lane, view in list(self._newest.items()):
                if shown.get(lane) is not view:
                    shown[lane] = view
                    self._show(lane, view)
                elif not is_changed:
                    self._show_idle(lane, view)

    def _show(self, lane: int, view: View) -> None:
        try:
            self._displays[lane].show(customer_rows(orjson.loads(view.payload), self._style))
        except Exception:  # noqa: BLE001 - one lane's view must not end the rows of all lanes
            _log.exception("customer_rows", lane=lane)

    def _show_idle(self, lane: int, view: View) -> None:
        """A sale that is long over is no news for who comes next."""
        if orjson.loads(view.payload)["state"] == "done":
            self._displays[lane].show((self._style.texts["display.vfd.welcome"], ""))


@dataclass(frozen=True, slots=True)
class _LaneSink:
    lane: int
    feed: DisplayFeed

    def offer(self, view: View) -> None:
        self.feed.offer(self.lane, view)


@dataclass(frozen=True, slots=True)
class CustomerSide:
    """The customer displays of a box: keys of the browser's ones, the feed of the serial ones."""

    keys: DisplayKeys
    feed: DisplayFeed
    desk: Desk
    around: Mapping[str, str | int | bool]
    """What a display must know beside the lane: `is_training`, `language`, `digits` of money."""

    def start(self) -> None:
        """After the desk has started."""
        self.keys.load()
        self.feed.start(self.desk)

    def stop(self) -> None:
        """Show nothing more."""
        self.feed.stop()

    def lane_of(self, key: str) -> int | None:
        """The lane that a display's key belongs to."""
        return self.keys.lane_of(key)


def make_customer_side(
    desk: Desk, database: Writer, displays: Mapping[int, DisplayPort], settings: Settings, code: str
) -> CustomerSide:
    """The customer displays of a box; `code` is the currency's."""
    is_ascii = settings.display.encoding == "ascii"
    locale = "en" if is_ascii else settings.box.locale
    currency = currency_of(code)
    style = RowStyle(settings.display.columns, currency, load_texts(locale), is_ascii)
    around: dict[str, str | int | bool] = {
        "is_training": settings.training,
        "language": settings.box.locale,
        "digits": currency.digits,
    }
    return CustomerSide(DisplayKeys(database), DisplayFeed(displays, style), desk, around)


def _sha256(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
