"""What one item costs in a store, and why: the same words at the box and at head office.

Both read their own copy of a revision through `StoreReader` and price by the same engine as the
till, so that two equal answers prove that both copies say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Protocol

from shared.config.dated import setting_at
from shared.config.settings import parse_tax, tax_name
from shared.item.item import Item
from shared.kernel.canonical import canonical_bytes, sha256
from shared.kernel.errors import MissingError, RefusedError
from shared.kernel.quantity import ONE_MILLI
from shared.price.context import PricingInstant
from shared.price.derivation import AppliedOffer
from shared.price.offer_book import OfferBook
from shared.price.price_book import NO_PRICE_MINOR, DatedPrice, PriceBook, price_at
from shared.sale.basket import Basket
from shared.sale.pricing import PricedBasket, context_of, price_basket

CODE_MAX = 14
BRIEF_MAX = 256
QTY_MILLI_MAX = 999_999
AT_MS_MAX = 4_102_444_800_000
"""The year 2100: what lies beyond is a slip."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Params = dict[str, int | str | None]


class StoreReader(Protocol):
    """One revision of one store."""

    @property
    def revision(self) -> int:
        """Its number."""
        ...

    def item(self, code: str) -> Item | None:
        """The item with that GTIN, or with that further barcode."""
        ...

    def prices(self, gtin: str) -> tuple[DatedPrice, ...]:
        """What it costs from which instant on, merged over the levels."""
        ...

    def offers(self) -> OfferBook:
        """All offers."""
        ...

    def config(self, key: str) -> Mapping[str, Any] | None:
        """The body of a configuration record."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """How much of what, and when (UTC ms), in a store of that time zone and currency."""

    code: str
    at_ms: int
    zone: tzinfo
    currency: str
    qty_milli: int = ONE_MILLI


@dataclass(frozen=True, slots=True)
class CheckedRule:
    """What an offer took off, and its names by language."""

    rule_id: str
    amount_minor: int
    names: dict[str, str]


@dataclass(frozen=True, slots=True)
class PriceReason:
    """A part of the explanation: a code, of which there are texts, and what it is about."""

    code: str
    params: Params = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PriceCheck:
    """The answer. Amounts in minor units; `unit_minor` None while the item has no price.

    `level` is who set the price (`store`, `zone`, `chain`), from `from_at_ms` on and until
    `to_at_ms` (None for as long as nothing else is said). `total_minor` is what a customer without
    a card pays.
    """

    gtin: str
    name: str
    revision: int
    at_ms: int
    qty_milli: int
    currency: str
    unit_minor: int | None
    member_minor: int | None
    total_minor: int
    tax_bp: int
    tax_minor: int
    level: str | None
    from_at_ms: int | None
    to_at_ms: int | None
    rules: tuple[CheckedRule, ...]
    reasons: tuple[PriceReason, ...]

    def fields(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    def proof(self) -> str:
        """SHA-256 (hex) of the whole answer: two that are equal were given on the same grounds."""
        return sha256(canonical_bytes(self.fields())).hex()

    def brief(self) -> str:
        """The answer in one line of at most `BRIEF_MAX` characters, its proof first."""
        rules = ",".join(f"{rule.rule_id}:{rule.amount_minor}" for rule in self.rules)
        said = {
            "proof": self.proof(),
            "rev": self.revision,
            "unit": self.unit_minor,
            "member": self.member_minor,
            "total": self.total_minor,
            "tax": self.tax_minor,
            "level": self.level,
            "from": self.from_at_ms,
            "rules": rules,
        }
        words = (f"{name}={value}" for name, value in said.items() if value not in {None, ""})
        return " ".join(words)[:BRIEF_MAX]


def check_price(reader: StoreReader, asked: Question) -> PriceCheck:
    """Answer from one revision.

    Raises MissingError `item.unknown`, RefusedError `quantity.whole` or `quantity.range`.
    """
    found = reader.item(asked.code)
    if found is None:
        raise MissingError("item.unknown", gtin=asked.code)
    item = item_at(found, reader.config, asked.at_ms, asked.zone)
    prices = reader.prices(item.gtin)
    book = PriceBook(reader.revision, {item.gtin: prices}, reader.offers())
    basket = Basket("", asked.at_ms, reader.revision).with_item(item, asked.code, asked.qty_milli)
    priced = price_basket(basket, book, context_of(None, ()), instant_of(asked.at_ms, asked.zone))
    return _answer(asked, item, prices, priced)


def item_at(
    item: Item, config: Callable[[str], Mapping[str, Any] | None], at_ms: int, zone: tzinfo
) -> Item:
    """An item as it is at an instant: its name, its tax class, and the rate of that class."""
    item = item.at(at_ms, zone) if item.later else item
    if not item.tax_class:
        return item
    try:
        found = setting_at(tax_name(item.tax_class), config, at_ms, zone)
        rate_bp = None if found is None else parse_tax(found.value)
    except RefusedError:  # the till sells with the item's own rate, and tells IT
        return item
    return item if rate_bp is None else replace(item, tax_bp=rate_bp)


def instant_of(at_ms: int, zone: tzinfo) -> PricingInstant:
    """An instant (UTC ms) with its reading on the store's clock."""
    local = (EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone)
    return PricingInstant(at_ms, local.date(), local.hour * 3600 + local.minute * 60 + local.second)


def _answer(
    asked: Question, item: Item, prices: tuple[DatedPrice, ...], priced: PricedBasket
) -> PriceCheck:
    [line] = priced.lines
    dated, after = price_at(prices, asked.at_ms), _next_price(prices, asked.at_ms)
    return PriceCheck(
        gtin=item.gtin,
        name=item.name,
        revision=priced.revision,
        at_ms=asked.at_ms,
        qty_milli=asked.qty_milli,
        currency=asked.currency,
        unit_minor=line.unit_minor,
        member_minor=None if dated is None else dated.member_minor,
        total_minor=priced.due_minor,
        tax_bp=item.tax_bp,
        tax_minor=line.tax_minor,
        level=None if dated is None else dated.level.value,
        from_at_ms=None if dated is None else dated.from_at_ms,
        to_at_ms=None if after is None else after.from_at_ms,
        rules=tuple(_rule(applied) for applied in priced.applied),
        reasons=tuple(_reasons(dated, after, priced)),
    )


def _rule(applied: AppliedOffer) -> CheckedRule:
    offer = applied.offer
    return CheckedRule(offer.id, -applied.amount_minor, dict(offer.names))


def _next_price(prices: tuple[DatedPrice, ...], at_ms: int) -> DatedPrice | None:
    return next((price for price in prices if price.from_at_ms > at_ms), None)


def _reasons(
    dated: DatedPrice | None, after: DatedPrice | None, priced: PricedBasket
) -> Iterator[PriceReason]:
    if dated is None:
        yield PriceReason("price_check.no_price")
    else:
        params: Params = {"from_at_ms": dated.from_at_ms, "unit_minor": dated.regular_minor}
        yield PriceReason(f"price_check.{dated.level.value}", params)
    if after is not None:
        is_end = after.regular_minor == NO_PRICE_MINOR
        unit_minor = None if is_end else after.regular_minor
        yield PriceReason(
            "price_check.ends" if is_end else "price_check.changes",
            {"at_ms": after.from_at_ms, "unit_minor": unit_minor},
        )
    for applied in priced.applied:
        yield PriceReason(
            "price_check.offer",
            {"rule_id": applied.offer.id, "amount_minor": -applied.amount_minor},
        )


def read_brief(text: str, asked: PriceCheck) -> PriceCheck:
    """What a box's line says in answer to the question that head office answered with `asked`.

    With the same proof it is that very answer. Else what the line does not say is left out.
    """
    said = dict(word.split("=", 1) for word in text.split() if "=" in word)
    if said.get("proof") == asked.proof():
        return asked
    rules = (word.rsplit(":", 1) for word in said.get("rules", "").split(",") if ":" in word)
    return replace(
        asked,
        revision=_number(said, "rev") or 0,
        unit_minor=_number(said, "unit"),
        member_minor=_number(said, "member"),
        total_minor=_number(said, "total") or 0,
        tax_minor=_number(said, "tax") or 0,
        level=said.get("level"),
        from_at_ms=_number(said, "from"),
        to_at_ms=None,
        rules=tuple(CheckedRule(rule, _whole(amount) or 0, {}) for rule, amount in rules),
        reasons=(),
    )


def _number(said: Mapping[str, str], name: str) -> int | None:
    return _whole(said.get(name, ""))


def _whole(text: str) -> int | None:
    is_whole = text.removeprefix("-").isdecimal() and text.isascii()
    return int(text) if is_whole else None
