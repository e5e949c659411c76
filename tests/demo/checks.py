"""The demo's result table: each row states what was expected and what was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.demo.pack.model import DailyClose
from tests.demo.robot import EngineShare

GROSS_SHARE_MIN = 0.994
NET_SHARE_MIN = 0.975
CLOSE_COLUMNS = {
    "receipts": "receipts",
    "lines": "lines",
    "units": "units",
    "gross_minor": "gross_cents",
    "member_disc_minor": "member_disc_cents",
    "store_coupon_minor": "store_coupon_cents",
    "net_minor": "net_cents",
    "mfr_coupon_minor": "mfr_coupon_cents",
    "tender_minor": "tender_cents",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    expected: str
    found: str
    is_right: bool


@dataclass(slots=True)
class Results:
    """Rows in the order of the story."""

    rows: list[Row] = field(default_factory=list)

    def equal(self, what: str, expected: object, found: object) -> None:
        """Expect two things to be equal."""
        self.rows.append(Row(what, f"{expected}", f"{found}", expected == found))

    def holds(self, what: str, *, is_so: bool) -> None:
        """Expect a statement to be true."""
        self.rows.append(Row(what, "yes", "yes" if is_so else "no", is_so))

    def at_least(self, what: str, least: float, found: float) -> None:
        """Expect a share to reach a limit."""
        row = Row(what, f">= {least:.1%}", f"{found:.2%}", found >= least)
        self.rows.append(row)

    def at_most(self, what: str, most: float, found: float, unit: str = "s") -> None:
        """Expect a figure to stay below a limit."""
        row = Row(what, f"<= {most:g} {unit}", f"{found:.2f} {unit}", found <= most)
        self.rows.append(row)

    @property
    def is_right(self) -> bool:
        """Whether every row is as expected; an empty table proves nothing."""
        return bool(self.rows) and all(row.is_right for row in self.rows)

    def show(self, console: Console) -> None:
        """Print the table."""
        table = Table(title="What the demo proved", title_justify="left")
        table.add_column("")
        table.add_column("what", overflow="fold")
        table.add_column("expected", justify="right")
        table.add_column("found", justify="right")
        for row in self.rows:
            mark = "[green]ok[/]" if row.is_right else "[bold red]NO[/]"
            table.add_row(mark, row.what, row.expected, row.found)
        console.print(table)


def check_share(results: Results, shares: list[EngineShare]) -> None:
    """How much the engine priced by itself, of the lines that are sold by the unit."""
    lines = sum(share.lines for share in shares)
    gross = sum(share.gross_right for share in shares)
    net = sum(share.net_right for share in shares)
    results.at_least("engine's own gross price, unit-priced lines", GROSS_SHARE_MIN, gross / lines)
    results.at_least("engine's own net price, unit-priced lines", NET_SHARE_MIN, net / lines)


def check_close(
    results: Results,
    expected: list[DailyClose],
    cloud_rows: list[dict[str, Any]],
    box_z: dict[tuple[str, str], dict[str, Any]],
) -> None:
    """Every store and day: the pack's close, HQ's and the box's own, to the cent."""
    by_day = {(row["store_id"], row["business_date"]): row for row in cloud_rows}
    keys = [(str(close.store_id), close.date.isoformat()) for close in expected]
    cloud_right = sum(
        _agrees(each, by_day.get(key)) for key, each in zip(keys, expected, strict=True)
    )
    box_right = sum(_agrees(each, box_z.get(key)) for key, each in zip(keys, expected, strict=True))
    results.equal("store-days whose close at HQ is right to the cent", len(expected), cloud_right)
    results.equal("store-days whose Z report on the box is the same", len(expected), box_right)
    matches = sum(by_day[key]["box_matches"] is True for key in keys if key in by_day)
    results.equal("store-days where HQ confirms the box's Z report", len(expected), matches)
    net = sum(row["net_minor"] for key, row in by_day.items() if key in set(keys))
    results.equal(
        "net sales of all store-days", _dollars(sum(e.net_cents for e in expected)), _dollars(net)
    )


def _agrees(expected: DailyClose, row: dict[str, Any] | None) -> bool:
    if row is None:
        return False
    return all(row[ours] == getattr(expected, theirs) for ours, theirs in CLOSE_COLUMNS.items())


def _dollars(cents: int) -> str:
    whole, rest = divmod(cents, 100)
    return f"${whole:,}.{rest:02d}"
