"""A member's own data, whole, for the member (PIPL article 45, GDPR articles 15 and 20)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import orjson

from cloud.member import service, store
from cloud.member.personal import opened
from cloud.member.service import Register
from shared.journal.event import EntrySalvaged
from shared.kernel.errors import MissingError

SALES_MAX = 10_000


def carried(register: Register, member: str) -> dict[str, Any]:
    """All that is known of a member, and what they bought: `format` says how it is written.

    Money in minor units of the sale's currency, instants in ISO 8601. Raises MissingError
    `member.unknown` or `member.erased`.
    """
    with register.database.snapshot() as connection:
        row = store.find(connection, member[:64].replace("\0", ""))
        if row is None:
            raise MissingError("member.unknown")
        personal = opened(register.keys, row)
        refs = service.refs_of(connection, row, personal)
        return {
            "format": "tillbox-member-1",
            "member_id": row.member_id,
            "personal": asdict(personal),
            "joined": {
                "at": _instant(row.joined_at_ms),
                "store": row.joined_store,
                "by": row.joined_by,
            },
            "consents": [
                asdict(each) | {"at": _instant(each.at_ms)}
                for each in store.consents(connection, row.member_id)
            ],
            "stores_that_know_you": store.stores(connection, row.member_id),
            "sales": [_sale(*each) for each in store.sales(connection, refs, SALES_MAX)],
            "sales_in_all": store.count_sales(connection, refs),
        }


def as_text(carried: dict[str, Any]) -> str:
    """The same for a person to read."""
    told = [f"{name}: {value}" for name, value in carried["personal"].items() if value]
    told += [f"member_id: {carried['member_id']}", f"joined: {carried['joined']['at']}", ""]
    for each in carried["consents"]:
        given = "given" if each["is_given"] else "taken back"
        told.append(f"{each['at']}  {each['purpose']}: {given} ({each['text_version']})")
    for sale in carried["sales"]:
        told += ["", f"{sale['at']}  {sale['store']}  {sale['receipt_no']}"]
        told += [f"  {each['name']}  x {each['qty_milli'] / 1000:g}" for each in sale["lines"]]
        told.append(f"  = {sale['net_minor']} minor units")
    return "\n".join(told) + "\n"


def _sale(store_id: str, body: bytes) -> dict[str, Any]:
    entry = orjson.loads(body)
    while entry["type"] == EntrySalvaged.type:  # the books took what it carries
        entry = orjson.loads(entry["data"]["body"])
    sale = entry["data"]["sale"]
    return {
        "at": _instant(int(entry["at"])),
        "store": store_id,
        "receipt_no": sale["receipt_no"],
        "net_minor": sale["totals"]["net_minor"],
        "lines": [
            {
                "gtin": line.get("gtin", ""),
                "name": line.get("name", ""),
                "qty_milli": line.get("qty_milli", 0),
                "net_minor": line["net_minor"],
            }
            for line in sale["lines"]
        ],
    }


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")
