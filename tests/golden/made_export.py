"""Golden exports: what accountants and BI have built upon."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence

from shared.export.poslog import NAMESPACE, OWN_NAMESPACE, document_end, document_start, transaction
from shared.export.rows import end_line, json_lines
from shared.journal.event import BasketVoided, DayClosed, DayOpened, DrawerOpened, SaleCompleted
from shared.sale.transaction import RetailTransaction
from tests.unit.shared.export.exported import exported


def export_goldens(sales: Sequence[RetailTransaction]) -> Iterator[tuple[str, str]]:
    """File name and content: a small day with these sales."""
    events = (
        DayOpened("2017-08-07"),
        *(SaleCompleted(sale) for sale in sales),
        DrawerOpened(1, "change"),
        BasketVoided(1, 3, 1250, "no money"),
        DayClosed("2017-08-07", {"business_date": "2017-08-07", "receipts": len(sales)}),
    )
    entries = [exported(event, seq) for seq, event in enumerate(events)]
    document = "".join(
        (document_start(), *(transaction(entry) for entry in entries), document_end(len(entries)))
    )
    ET.register_namespace("", NAMESPACE)
    ET.register_namespace("tb", OWN_NAMESPACE)
    root = ET.fromstring(document)  # noqa: S314 - our own text
    ET.indent(root)
    yield "poslog.xml", ET.tostring(root, encoding="unicode") + "\n"
    rows = [line for entry in entries for line in json_lines(entry)]
    yield "export.jsonl", "".join((*rows, end_line(len(rows), len(entries))))
