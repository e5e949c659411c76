"""What a customer may see of a lane: goods, savings, what to pay; nothing of people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.kernel.money import Currency, format_minor
from shared.kernel.quantity import ONE_MILLI, format_milli, format_weight
from shared.sale.columns import spread

_DONE_FIELDS = ("due_minor", "tendered_minor", "change_minor", "rounding_minor")
_LINE_FIELDS = ("n", "name", "qty_milli", "unit_minor", "gross_minor", "net_minor", "needs_price")


def customer_view(view: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a LaneView that stands on the customer's display.

    Neither the operator nor the member's number goes out; `is_member` only says that there is one.
    """
    basket = view["basket"]
    weighing = view["weighing"]
    return {
        "phase": _phase(view),
        "store_name": view["store"]["name"],
        "lane_name": view["lane_name"],
        "currency": view["currency"],
        "is_member": basket["member"] is not None,
        "lines": [_line(line) for line in basket["lines"]],
        "touched_line": view["touched_line"],
        "count": basket["count"],
        "gross_minor": basket["gross_minor"],
        "saved_minor": -sum(each["amount_minor"] for each in basket["savings"]),
        "due_minor": basket["due_minor"],
        "paid_minor": sum(each["amount_minor"] for each in basket["tenders"]),
        "remaining_minor": basket["remaining_minor"],
        "weighing": weighing and {"name": weighing["name"], "unit_minor": weighing["unit_minor"]},
        "done": _done(view["done"]),
    }


def _phase(view: Mapping[str, Any]) -> str:
    """idle, open or done."""
    if view["done"] is not None:
        return "done"
    has_goods = view["basket"]["lines"] or view["weighing"] is not None
    return "open" if has_goods and view["state"] == "selling" else "idle"


def _line(line: Mapping[str, Any]) -> dict[str, Any]:
    unit = line["weighed"]["unit"] if line["weighed"] else None
    return {**{name: line[name] for name in _LINE_FIELDS}, "unit": unit}


def _done(done: Mapping[str, Any] | None) -> dict[str, int] | None:
    if done is None:
        return None
    return {name: done[name] for name in _DONE_FIELDS}


@dataclass(frozen=True, slots=True)
class RowStyle:
    """How short rows are set: half-width columns, money, words, and whether only ASCII shows."""

    columns: int
    currency: Currency
    texts: Mapping[str, str]
    is_ascii: bool


def customer_rows(view: Mapping[str, Any], style: RowStyle) -> tuple[str, str]:
    """Two short rows for a LaneView: the last line and the total, then total and change."""
    shown = customer_view(view)
    if shown["phase"] == "done":
        done = shown["done"]
        return (
            _amount("display.vfd.total", done["due_minor"] + done["rounding_minor"], style),
            _amount("display.vfd.change", done["change_minor"], style),
        )
    if shown["phase"] == "idle":
        return style.texts["display.vfd.welcome"], ""
    if shown["weighing"] is not None:
        return _name(shown["weighing"]["name"], "", style), style.texts["display.vfd.weighing"]
    left = "display.vfd.remaining" if shown["paid_minor"] else "display.vfd.total"
    return _last_line(view, style), _amount(left, shown["remaining_minor"], style)


def _last_line(view: Mapping[str, Any], style: RowStyle) -> str:
    lines = view["basket"]["lines"]
    line = next((each for each in lines if each["n"] == view["touched_line"]), lines[-1])
    amount = format_minor(line["net_minor"], style.currency)
    name = _name(line["name"], line["gtin"], style)
    if line["weighed"]:
        amount = f"{format_weight(line['qty_milli'], line['weighed']['unit'])} {amount}"
    elif line["qty_milli"] != ONE_MILLI:
        amount = f"{format_milli(line['qty_milli'])}x {amount}"
    return spread(name, amount, style.columns)


def _name(name: str, instead: str, style: RowStyle) -> str:
    """The name, or what stands for it where the display lacks its letters."""
    return name if not style.is_ascii or name.isascii() else instead


def _amount(key: str, minor: int, style: RowStyle) -> str:
    return spread(style.texts[key], format_minor(minor, style.currency), style.columns)
