"""The pack as the CSV files that a merchandiser at HQ would upload."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from tests.demo.pack.model import NO_WHOLE_PRICE, DemoPack


def catalogue_csv(pack: DemoPack) -> bytes:
    """The catalogue as HQ would upload it."""
    rows = (
        (r.ean13, r.name, r.department, r.category, r.brand, r.package_size, int(r.weighed), r.plu)
        for r in pack.catalogue
    )
    names = "ean13,name,department,category,brand,package_size,weighed,plu"
    return _csv(names.split(","), rows)


def prices_csv(pack: DemoPack) -> bytes:
    """The dated prices as HQ would upload them; an N-for-X deal has no member unit price."""
    rows = (
        (
            e.store_id,
            e.ean13,
            e.effective_at.isoformat(sep=" "),
            e.regular_price_cents,
            "" if e.member_price_cents == NO_WHOLE_PRICE else e.member_price_cents,
        )
        for e in pack.price_events
    )
    names = "store_id,ean13,effective_at,regular_price_cents,member_price_cents"
    return _csv(names.split(","), rows)


def most_sold(pack: DemoPack) -> str:
    """The item with a shelf price that is on most receipts."""
    counts: dict[str, int] = {}
    for receipt in pack.receipts:
        for line in receipt.lines:
            if not line.weighed:
                counts[line.ean13] = counts.get(line.ean13, 0) + 1
    return max(counts, key=lambda ean: (counts[ean], ean))


def _csv(names: list[str], rows: Iterator[tuple[Any, ...]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows(("" if value is None else value for value in row) for row in rows)
    return out.getvalue().encode()
