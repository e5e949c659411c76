"""The open basket: an immutable value; each command makes the next one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from shared.item.item import Item
from shared.kernel.errors import MissingError, RefusedError
from shared.kernel.money import PRICE_MINOR_MAX
from shared.kernel.quantity import ONE_MILLI, QTY_MILLI_MAX
from shared.price.offer_book import OfferBook
from shared.sale.member_history import MemberHistory
from shared.sale.pack import PackFacts
from shared.sale.tender import Tender

BASKET_LINES_MAX = 999
WeightSource = Literal["scale", "manual", "label"]
"""The scale itself, a person who keyed it in with permission, or the label of a pack."""


@dataclass(frozen=True, slots=True)
class PriceOverride:
    """A price given by a person: whole amounts of the line in minor units, with the reason.

    `member_minor` is what a member pays for the line; None when members pay `regular_minor`.
    `approved_by` answers for it: the operator, or who vouched.
    """

    regular_minor: int
    member_minor: int | None
    reason: str
    approved_by: str


@dataclass(frozen=True, slots=True)
class LineCoupon:
    """A store coupon handed in for one line; `approved_by` as of a price by hand."""

    amount_minor: int
    reference: str
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class Weighed:
    """Where a line's weight came from; it is net, `tare_milli` of its container was taken off.

    Both are thousandths of `unit`.
    """

    source: WeightSource
    tare_milli: int = 0
    unit: str = "kg"


@dataclass(frozen=True, slots=True)
class BasketLine:
    """One line; `number` is unique in the basket for ever, so a removed number is not reused.

    `label_minor` is the price that the label of a weighed pack embeds, for one pack.
    """

    number: int
    item: Item
    qty_milli: int
    code: str
    label_minor: int | None = None
    override: PriceOverride | None = None
    coupon: LineCoupon | None = None
    weighed: Weighed | None = None
    pack: PackFacts | None = None


@dataclass(frozen=True, slots=True)
class UnknownCode:
    """A scan that named no item. It blocks payment until a person has dealt with it."""

    number: int
    code: str
    because: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class VoidedLine:
    """A line that was taken out again: a recorded act, not a vanished row."""

    number: int
    code: str
    name: str
    qty_milli: int
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Basket:
    """An open sale. `id` becomes the id of its journal entry, so a retry finds the sale.

    `revision` is the catalogue revision pinned at the first line; 0 while nothing is pinned.
    `coupons` are the codes handed in for offers that ask for one. `history` is what the member
    bought before, kept from the first tender on: what is owed must not change any more.
    """

    id: str
    opened_at_ms: int
    revision: int = 0
    member: str | None = None
    lines: tuple[BasketLine, ...] = ()
    unknown: tuple[UnknownCode, ...] = ()
    voided: tuple[VoidedLine, ...] = ()
    tenders: tuple[Tender, ...] = ()
    last_number: int = 0
    coupons: tuple[str, ...] = ()
    history: MemberHistory | None = None
    age_confirmed: int = 0
    """How old, in years at least, the cashier has found the customer to be."""

    @property
    def age_asked(self) -> int:
        """How old the customer must be for these goods; 0 where nobody asks, or it is known."""
        limit = max((line.item.age_limit for line in self.lines), default=0)
        return limit if limit > self.age_confirmed else 0

    def line(self, number: int) -> BasketLine:
        """The line with that number; MissingError `basket.line` otherwise."""
        for line in self.lines:
            if line.number == number:
                return line
        raise MissingError("basket.line", line=number)

    def with_item(
        self,
        item: Item,
        code: str,
        qty_milli: int = ONE_MILLI,
        label_minor: int | None = None,
        pack: PackFacts | None = None,
    ) -> Basket:
        """Add a scan: an equal line grows, else a new line follows (`basket.full` at 999).

        Packs of another lot are another line. RefusedError `quantity.range` or `quantity.whole`
        as in `with_quantity`.
        """
        self._refuse_after_tender()
        _check_quantity(qty_milli, is_divisible=item.is_weighed and label_minor is None)
        for line in self.lines:
            if _takes(line, item, label_minor, pack):
                return self.with_quantity(line.number, line.qty_milli + qty_milli)
        if len(self.lines) >= BASKET_LINES_MAX:
            raise RefusedError("basket.full", lines=BASKET_LINES_MAX)
        number = self.last_number + 1
        line = BasketLine(number, item, qty_milli, code, label_minor, pack=pack)
        return replace(self, lines=(*self.lines, line), last_number=number)

    def with_weighed(self, item: Item, code: str, net_milli: int, weighed: Weighed) -> Basket:
        """Add a weighed item with its net weight, always as a line of its own.

        RefusedError as in `with_item`.
        """
        basket = self.with_item(item, code, net_milli)
        line = replace(basket.lines[-1], weighed=weighed)
        return replace(basket, lines=(*basket.lines[:-1], line))

    def with_pack(self, number: int, pack: PackFacts | None) -> Basket:
        """Keep what a line's code told of its pack."""
        return self._with_line(replace(self.line(number), pack=pack))

    def with_quantity(self, number: int, qty_milli: int) -> Basket:
        """Set a line's quantity (`quantity.range`; pieces are whole: `quantity.whole`).

        A weight that was found once is not typed over (`quantity.weighed`), and a piece with a
        serial number stays one (`quantity.serial`).  A price given by hand was for the old
        quantity, so another one takes it away; a store coupon was for as many pieces at least.
        """
        self._refuse_after_tender()
        line = self.line(number)
        if line.weighed is not None:
            raise RefusedError("quantity.weighed", line=number)
        if line.pack is not None and line.pack.serial and qty_milli != ONE_MILLI:
            raise RefusedError("quantity.serial", line=number)
        is_divisible = line.item.is_weighed and line.label_minor is None
        _check_quantity(qty_milli, is_divisible=is_divisible)
        override = line.override if qty_milli == line.qty_milli else None
        coupon = line.coupon if qty_milli >= line.qty_milli else None
        return self._with_line(replace(line, qty_milli=qty_milli, override=override, coupon=coupon))

    def with_override(self, number: int, override: PriceOverride) -> Basket:
        """Give a line a price by hand (`price.negative`, `price.absurd`, `price.member_above`)."""
        self._refuse_after_tender()
        _check_price(override.regular_minor)
        if override.member_minor is not None:
            _check_price(override.member_minor)
            if override.member_minor > override.regular_minor:
                raise RefusedError("price.member_above_regular")
        return self._with_line(replace(self.line(number), override=override))

    def with_coupon(self, number: int, coupon: LineCoupon) -> Basket:
        """Hand in a store coupon for a line (`coupon.amount` when it is not above nought)."""
        self._refuse_after_tender()
        if not 0 < coupon.amount_minor <= PRICE_MINOR_MAX:
            raise RefusedError("coupon.amount", amount_minor=coupon.amount_minor)
        return self._with_line(replace(self.line(number), coupon=coupon))

    def without_line(self, number: int, reason: str, at_ms: int) -> Basket:
        """Take a line out; what was taken stays recorded."""
        self._refuse_after_tender()
        line = self.line(number)
        gone = VoidedLine(number, line.code, line.item.name, line.qty_milli, reason, at_ms)
        lines = tuple(each for each in self.lines if each.number != number)
        return replace(self, lines=lines, voided=(*self.voided, gone))

    def with_member(self, member: str | None) -> Basket:
        """Name the customer; the whole basket gets member prices."""
        self._refuse_after_tender()
        return replace(self, member=member)

    def with_coupon_code(self, code: str, offers: OfferBook) -> Basket:
        """Hand in the code of an offer (`coupon.unknown` when none has it, `coupon.twice`)."""
        self._refuse_after_tender()
        coupon = find_coupon(offers, code)
        if coupon is None:
            raise RefusedError("coupon.unknown", coupon=code)
        if coupon in self.coupons:
            raise RefusedError("coupon.twice", coupon=coupon)
        return replace(self, coupons=(*self.coupons, coupon))

    def without_coupon_code(self, code: str) -> Basket:
        """Give a code back; MissingError `basket.coupon` when it was not handed in."""
        self._refuse_after_tender()
        if code not in self.coupons:
            raise MissingError("basket.coupon", coupon=code)
        return replace(self, coupons=tuple(each for each in self.coupons if each != code))

    def with_unknown(self, code: str, because: str, at_ms: int) -> Basket:
        """List a scan that named no item."""
        number = self.last_number + 1
        listed = UnknownCode(number, code, because, at_ms)
        return replace(self, unknown=(*self.unknown, listed), last_number=number)

    def without_unknown(self, number: int) -> Basket:
        """Strike a dealt-with code off the list; MissingError `basket.unknown` otherwise."""
        if all(each.number != number for each in self.unknown):
            raise MissingError("basket.unknown", line=number)
        return replace(self, unknown=tuple(u for u in self.unknown if u.number != number))

    def with_age(self, years: int) -> Basket:
        """Note that the customer is old enough; RefusedError `basket.age` where nobody asks."""
        if years != self.age_asked or not years:
            raise RefusedError("basket.age", years=self.age_asked)
        return replace(self, age_confirmed=years)

    def with_tender(self, tender: Tender) -> Basket:
        """Record money that was handed over; what is owed is the service's matter."""
        return replace(self, tenders=(*self.tenders, tender))

    def _with_line(self, changed: BasketLine) -> Basket:
        lines = tuple(changed if each.number == changed.number else each for each in self.lines)
        return replace(self, lines=lines)

    def _refuse_after_tender(self) -> None:
        if self.tenders:
            raise RefusedError("basket.tender_taken")


def find_coupon(offers: OfferBook, text: str) -> str | None:
    """The code of an offer as the offer spells it; people type without minding the case."""
    wanted = text.strip().casefold()
    codes = (rule.offer.coupon for rule in offers.rules)
    return next((code for code in codes if code is not None and code.casefold() == wanted), None)


def _takes(line: BasketLine, item: Item, label_minor: int | None, pack: PackFacts | None) -> bool:
    """Whether a repeated scan belongs on this line: same item and label, price untouched.

    A weighed pack without a price label has a weight of its own, so it gets its own line.
    """
    if item.is_weighed and label_minor is None:
        return False
    untouched = line.override is None and line.coupon is None
    is_same = line.label_minor == label_minor and line.pack == pack
    return line.item.gtin == item.gtin and is_same and untouched


def _check_quantity(qty_milli: int, *, is_divisible: bool) -> None:
    if not 0 < qty_milli <= QTY_MILLI_MAX:
        raise RefusedError("quantity.range", qty_milli=qty_milli)
    if qty_milli % ONE_MILLI and not is_divisible:
        raise RefusedError("quantity.whole", qty_milli=qty_milli)


def _check_price(minor: int) -> None:
    if minor < 0:
        raise RefusedError("price.negative", price_minor=minor)
    if minor > PRICE_MINOR_MAX:
        raise RefusedError("price.absurd", price_minor=minor)
