"""What a store and a sale cost the cloud: processor time of each part, for `cloud/README.md`.

Light boxes are connected and idle for a while, then sell as a busy chain does. No goals: these are
the numbers that the capacity page reckons with.

    python -m tests.bench.capacity [--stores N] [--seconds S] [--sales-per-day N]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from tests.bench.fleet import Fleet, cpu_s, fleet, rss_bytes

STORES, SECONDS, SALES_PER_DAY = 1_000, 120, 8_640
"""As many sales in a day as there are seconds, divided by ten: each store sells every ten."""
MINUTE_S, MS = 60, 1_000
_SALES = text("SELECT count(*) FROM sale")
_BYTES = text("SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c"
              " WHERE relname ~ '^(entry|sale|posting)_[0-9]+$' AND relkind = 'r'")  # fmt: skip


def measure(folder: Path, stores: int, seconds: int, sales_per_day: int) -> Table:
    """Idle, then selling; a table of milliseconds by part."""
    idle_folder, busy_folder = folder / "idle", folder / "busy"
    idle_folder.mkdir()
    busy_folder.mkdir()
    with fleet(idle_folder, stores) as found:
        idle = _spent(found, seconds)
        memory = rss_bytes(found)
    with fleet(busy_folder, stores, sales_per_day) as found:
        before, size = _sales(found), _bytes(found)
        busy = _spent(found, seconds)
        sales = _sales(found) - before
        size = _bytes(found) - size
    table = Table(title=f"{stores:,} stores, {sales:,} sales in {seconds} s", title_justify="left")
    for name in ("part", "ms a store and minute, idle", "ms a sale more", "memory MB"):
        table.add_column(name, justify="left" if name == "part" else "right")
    store_minutes = stores * seconds / MINUTE_S
    for name, spent_s in idle.items():
        table.add_row(
            name,
            f"{spent_s * MS / store_minutes:.2f}",
            f"{(busy[name] - spent_s) * MS / max(sales, 1):.2f}",
            f"{memory.get(name, 0) / 1e6:.0f}",
        )
    table.caption = f"PostgreSQL grew by {size / max(sales, 1):,.0f} bytes a sale of five lines"
    return table


def _spent(found: Fleet, seconds: int) -> dict[str, float]:
    before = cpu_s(found)
    time.sleep(seconds)
    return {name: used - before[name] for name, used in cpu_s(found).items()}


def _sales(found: Fleet) -> int:
    with found.database.begin() as connection:
        return int(connection.execute(_SALES).scalar_one())


def _bytes(found: Fleet) -> int:
    with found.database.begin() as connection:
        return int(connection.execute(_BYTES).scalar_one() or 0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stores", type=int, default=STORES)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--sales-per-day", type=int, default=SALES_PER_DAY)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tillbox-capacity-") as folder:
        found = measure(Path(folder), asked.stores, asked.seconds, asked.sales_per_day)
    Console(width=120).print(found)


if __name__ == "__main__":
    main()
