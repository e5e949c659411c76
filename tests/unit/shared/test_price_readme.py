"""The worked tables on the page about pricing are what the engine finds."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import shared.price
from shared.kernel.money import CURRENCIES
from shared.price.context import (
    CouponState,
    MemberStanding,
    PriceContext,
    PriceLine,
    PricePolicy,
    PricingInstant,
)
from shared.price.derivation import Derivation
from shared.price.derive import derive
from shared.price.document import dump_offer, offer_schema, parse_offer
from shared.price.floor import floor_unit_minor
from shared.price.offer_book import OfferBook
from shared.price.refund import refund_minor
from shared.price.tax import tax_minor

PAGE = Path(shared.price.__path__[0], "README.md").read_text(encoding="utf-8")
YUAN = CURRENCIES["CNY"]
GOODS_WORDS = {"goods", "category", "promotable", "price", "qty", "floor", "tax rate", "before"}
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Worked:
    """One example of the page: what is told beside the goods, and the rows of its table."""

    told: dict[str, Any]
    rows: list[Row]

    @property
    def offer_words(self) -> list[str]:
        words = [word for word in self.rows[0] if word not in GOODS_WORDS]
        return words[: words.index("pays")]

    @property
    def lines(self) -> list[PriceLine]:
        return [line_of(key, row) for key, row in enumerate(self.rows[:-1])]


def sections() -> list[tuple[str, str]]:
    parts = re.split(r"^##+ (.+)$", PAGE, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def rows_of(text: str) -> list[Row]:
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]] if cells else []


def worked() -> dict[str, Worked]:
    found = {}
    for title, text in sections():
        block = re.search(r"```json\n(.*?)```", text, flags=re.DOTALL)
        if block:
            found[title] = Worked(json.loads(block[1]), rows_of(text))
    return found


def tables_under(title: str) -> list[Row]:
    return next(rows_of(text) for name, text in sections() if name == title)


WORKED = worked()


def minor(text: str) -> int:
    """Two digits after the point, or nothing where nothing happens."""
    if not text:
        return 0
    assert re.fullmatch(r"[0-9]+\.[0-9]{2}", text), text
    return int(text.replace(".", ""))


def milli(text: str) -> int:
    whole, _, rest = text.removesuffix(" kg").partition(".")
    return 1000 * int(whole) + int(rest.ljust(3, "0"))


def bp(text: str) -> int:
    return 100 * int(text.removesuffix(" %") or 0)


def line_of(key: int, row: Row) -> PriceLine:
    weighed = row["qty"].endswith(" kg")
    return PriceLine(
        key,
        row["goods"],
        milli(row["qty"]),
        minor(row["price"]),
        category=row.get("category", ""),
        is_weighed=weighed,
        uom="kg" if weighed else "",
        is_promotable=row.get("promotable") != "no",
        floor_unit_minor=minor(row.get("floor", "")),
        tax_bp=bp(row.get("tax rate", "")),
    )


def context_of(told: dict[str, Any]) -> PriceContext:
    member = told.get("member")
    return PriceContext(
        member and MemberStanding(member["id"], member.get("tier", "")),
        {code: CouponState(state) for code, state in told.get("coupons", {}).items()},
        told.get("orders_before"),
        member_units=told.get("units_before", {}),
    )


def instant_of(told: dict[str, Any]) -> PricingInstant:
    """The store's clock shows universal time."""
    at = datetime.fromisoformat(told.get("at", "2026-01-05 12:00:00")).replace(tzinfo=UTC)
    second = 3600 * at.hour + 60 * at.minute + at.second
    return PricingInstant(1000 * int(at.timestamp()), at.date(), second)


def policy_of(told: dict[str, Any]) -> PricePolicy:
    return PricePolicy(prices_include_tax=told.get("prices_include_tax", True))


def priced(example: Worked) -> Derivation:
    book = OfferBook.of(parse_offer(raw, YUAN) for raw in example.told["offers"])
    told = example.told
    return derive(example.lines, book, context_of(told), instant_of(told), policy_of(told))


@pytest.mark.parametrize("title", WORKED)
def test_each_line_of_a_table_costs_what_the_page_says(title: str) -> None:
    example = WORKED[title]
    before = [minor(row["before"]) for row in example.rows[:-1]]
    pays = tuple(minor(row["pays"]) for row in example.rows[:-1])
    assert [line.gross_minor for line in example.lines] == before
    assert priced(example).nets == pays


@pytest.mark.parametrize("title", WORKED)
def test_each_offer_of_a_table_takes_what_the_page_says(title: str) -> None:
    example = WORKED[title]
    told = {
        word: {key: minor(row[word]) for key, row in enumerate(example.rows[:-1]) if row[word]}
        for word in example.offer_words
    }
    found = {
        applied.offer.id: {share.line: share.amount_minor for share in applied.shares}
        for applied in priced(example).applied
    }
    assert found == {word: shares for word, shares in told.items() if shares}
    assert list(found) == [word for word in example.offer_words if word in found]


@pytest.mark.parametrize("title", WORKED)
def test_the_offers_of_a_table_stand_in_the_order_in_which_they_act(title: str) -> None:
    example = WORKED[title]
    book = OfferBook.of(parse_offer(raw, YUAN) for raw in example.told["offers"])
    assert example.offer_words == [offer.id for offer in book.offers]


@pytest.mark.parametrize("title", WORKED)
def test_the_last_row_of_a_table_adds_up_the_others(title: str) -> None:
    example = WORKED[title]
    *rows, whole = example.rows
    assert whole["goods"] == "**all**"
    for word in ("before", *example.offer_words, "pays"):
        assert minor(whole[word]) == sum(minor(row[word]) for row in rows)


def test_taxes_of_a_table_are_what_the_page_says() -> None:
    taxed = [example for example in WORKED.values() if "tax" in example.rows[0]]
    for example in taxed:
        policy = policy_of(example.told)
        found = [
            tax_minor(net, line.tax_bp, policy)
            for net, line in zip(priced(example).nets, example.lines, strict=True)
        ]
        assert found == [minor(row["tax"]) for row in example.rows[:-1]]
        assert sum(found) == minor(example.rows[-1]["tax"])
    assert len(taxed) == 2


def test_floors_from_margins_are_what_the_page_says() -> None:
    for row in tables_under("Floors from margins"):
        cost = minor(row["cost"]) if row["cost"] else None
        margin_bp = bp(row["margin"]) if row["margin"] else None
        found = floor_unit_minor(minor(row["least price"]), cost, margin_bp, bp(row["tax"]))
        assert found == minor(row["floor"])


def test_refunds_are_what_the_page_says() -> None:
    for row in tables_under("Returns"):
        quantities = [milli(row[word]) for word in ("sold", "back before", "back now")]
        assert refund_minor(minor(row["paid"]), *quantities) == minor(row["refund"])


def words_of(schema: object) -> set[str]:
    """The constants that a document may name as a type."""
    if isinstance(schema, list):
        return set().union(*map(words_of, schema))
    if not isinstance(schema, dict):
        return set()
    kind = schema.get("properties", {}).get("type", {})
    own = {kind["const"]} if "const" in kind else set()
    return own.union(*map(words_of, schema.values()))


def test_the_page_works_an_example_of_each_reward_and_condition() -> None:
    offers = [
        parse_offer(raw, YUAN) for example in WORKED.values() for raw in example.told["offers"]
    ]
    dumped = [dump_offer(offer) for offer in offers]
    shown = {raw["reward"]["type"] for raw in dumped}  # type: ignore[index]
    shown |= {each["type"] for raw in dumped for each in raw.get("when", [])}  # type: ignore[attr-defined]
    assert len(WORKED) >= 15
    assert words_of(offer_schema()) - shown == set()
