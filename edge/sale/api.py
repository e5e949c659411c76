"""The sale's endpoints: translate in, hand to the lane, translate out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import TypeAdapter

from edge.access import Actor, Requires, authorise
from edge.desk.desk import Desk
from edge.desk.state import Command
from edge.sale.commands import (
    ConfirmAge,
    DismissUnknown,
    GiveBackCoupon,
    HandInCoupon,
    HandInStoreCoupon,
    OpenDrawer,
    OverridePrice,
    RemoveLine,
    ReprintReceipt,
    ScanCode,
    SetQuantity,
    TakeTender,
    Undo,
    VoidBasket,
)
from edge.sale.offers import offer_reasons
from edge.sale.pictures import MEDIA_TYPE
from edge.sale.price_check import PriceChecks, Records
from edge.sale.recorded import printed_sale, recorded_sale
from edge.sale.schemas import (
    COUPON_MAX,
    REASON_MAX,
    ActingOffer,
    AgeBody,
    CommandAnswer,
    CouponBody,
    FoundItem,
    FreeText,
    IdleOffer,
    Offers,
    OverrideBody,
    QuantityBody,
    ReasonBody,
    Receipt,
    ReceiptRow,
    ReprintBody,
    ScanBody,
    StoreCouponBody,
    TenderBody,
)
from edge.sale.search import ItemSearch
from edge.sale.shop import Shop
from shared.kernel.errors import RefusedError
from shared.kernel.quantity import ONE_MILLI
from shared.sale.basket import Basket
from shared.sale.price_check import AT_MS_MAX, CODE_MAX, QTY_MILLI_MAX, PriceCheck
from shared.staff import permission

SEARCH_MAX = 50
RECEIPTS_MAX = 200
KEY_MAX = 100
PICTURE_HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


@dataclass(frozen=True, slots=True)
class SaleRoom:
    """What these endpoints work with; in `app.state.sale`."""

    desk: Desk
    shop: Shop
    search: ItemSearch
    records: Records
    picture: Callable[[str], bytes | None] = lambda _: None
    """A picture by its SHA-256 (hex); None while the box has it not."""


def _room(request: Request) -> SaleRoom:
    return cast("SaleRoom", request.app.state.sale)


RoomDep = Annotated[SaleRoom, Depends(_room)]
Operating = Annotated[Actor, Depends(Requires(permission.SALE_OPERATE))]
Overriding = Annotated[Actor, Depends(Requires(permission.SALE_OVERRIDE, is_measured=True))]
TakingCoupons = Annotated[Actor, Depends(Requires(permission.SALE_COUPON, is_measured=True))]
OpeningDrawer = Annotated[Actor, Depends(Requires(permission.DRAWER_NO_SALE, is_measured=True))]
Voiding = Annotated[Actor, Depends(Requires(permission.BASKET_VOID))]
Reprinting = Annotated[Actor, Depends(Requires(permission.RECEIPT_REPRINT))]
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=KEY_MAX)]


async def _lane(lane: int) -> int:
    """The path's lane; `Requires` has compared it with the session's."""
    return lane


router = APIRouter(prefix="/v1", tags=["sale"])
lane_router = APIRouter(prefix="/v1/lanes/{lane}", tags=["sale"], dependencies=[Depends(_lane)])
_ANSWER = TypeAdapter(CommandAnswer)


@lane_router.post("/scans", response_model=CommandAnswer)
async def scan(room: RoomDep, actor: Operating, body: ScanBody, key: Key = None) -> Response:
    """Take a code that was typed, as if it had been scanned."""
    return await do_command(room, actor, ScanCode(body.code, is_typed=True), key)


@lane_router.post("/lines/{n}/quantity", response_model=CommandAnswer)
async def set_quantity(
    room: RoomDep, actor: Operating, n: int, body: QuantityBody, key: Key = None
) -> Response:
    """Change a line's quantity."""
    return await do_command(room, actor, SetQuantity(n, body.qty_milli), key)


@lane_router.delete("/lines/{n}", response_model=CommandAnswer)
async def remove_line(
    room: RoomDep,
    actor: Operating,
    n: int,
    reason: Annotated[FreeText, Query(max_length=REASON_MAX)] = "",
    key: Key = None,
) -> Response:
    """Take a line out; it stays recorded."""
    return await do_command(room, actor, RemoveLine(n, reason), key)


@lane_router.post("/lines/{n}/override", response_model=CommandAnswer)
async def override_price(
    room: RoomDep, actor: Overriding, n: int, body: OverrideBody, key: Key = None
) -> Response:
    """Give a line its whole amount by hand."""
    authority = partial(authorise, actor)
    command = OverridePrice(n, body.regular_minor, body.member_minor, body.reason, authority)
    return await do_command(room, actor, command, key)


@lane_router.post("/lines/{n}/store-coupon", response_model=CommandAnswer)
async def hand_in_store_coupon(
    room: RoomDep, actor: TakingCoupons, n: int, body: StoreCouponBody, key: Key = None
) -> Response:
    """Take a store coupon for a line."""
    authority = partial(authorise, actor)
    command = HandInStoreCoupon(n, body.amount_minor, body.reference, authority)
    return await do_command(room, actor, command, key)


@lane_router.post("/coupons", response_model=CommandAnswer)
async def hand_in_coupon(
    room: RoomDep, actor: Operating, body: CouponBody, key: Key = None
) -> Response:
    """Take the code of an offer for the basket."""
    return await do_command(room, actor, HandInCoupon(body.code), key)


@lane_router.delete("/coupons", response_model=CommandAnswer)
async def give_back_coupon(
    room: RoomDep,
    actor: Operating,
    code: Annotated[str, Query(max_length=COUPON_MAX)],
    key: Key = None,
) -> Response:
    """Take an offer's code out of the basket again."""
    return await do_command(room, actor, GiveBackCoupon(code), key)


@lane_router.get("/offers")
async def explain_offers(room: RoomDep, actor: Operating) -> Offers:
    """Every offer of the basket's revision: what acted, and why the others did not."""
    return await asyncio.to_thread(_offers, room, actor.lane)


@lane_router.post("/age", response_model=CommandAnswer)
async def confirm_age(room: RoomDep, actor: Operating, body: AgeBody, key: Key = None) -> Response:
    """Say that the customer is as old as the goods ask: payment waits for it."""
    return await do_command(room, actor, ConfirmAge(body.years), key)


@lane_router.post("/unknown/{n}/dismiss", response_model=CommandAnswer)
async def dismiss_unknown(
    room: RoomDep, actor: Operating, n: int, body: ReasonBody, key: Key = None
) -> Response:
    """Strike a code that named no item off the list."""
    return await do_command(room, actor, DismissUnknown(n, body.reason), key)


@lane_router.post("/undo", response_model=CommandAnswer)
async def undo(room: RoomDep, actor: Operating, key: Key = None) -> Response:
    """Bring the basket back as it was one command ago."""
    return await do_command(room, actor, Undo(), key)


@lane_router.post("/tenders", response_model=CommandAnswer)
async def take_tender(
    room: RoomDep, actor: Operating, body: TenderBody, key: Key = None
) -> Response:
    """Record a payment; the sale is complete when the tenders cover what is due."""
    command = TakeTender(body.kind, body.amount_minor, body.reference)
    return await do_command(room, actor, command, key)


@lane_router.post("/void", response_model=CommandAnswer)
async def void_basket(room: RoomDep, actor: Voiding, body: ReasonBody, key: Key = None) -> Response:
    """Give the basket up."""
    command = VoidBasket(body.reason, actor.name, vouched_by(actor))
    return await do_command(room, actor, command, key)


@lane_router.post("/reprint", response_model=CommandAnswer)
async def reprint_receipt(
    room: RoomDep, actor: Reprinting, body: ReprintBody, key: Key = None
) -> Response:
    """Print a marked copy."""
    command = ReprintReceipt(body.receipt_no, actor.name, vouched_by(actor))
    return await do_command(room, actor, command, key)


@lane_router.post("/drawer", response_model=CommandAnswer)
async def open_drawer(
    room: RoomDep, actor: OpeningDrawer, body: ReasonBody, key: Key = None
) -> Response:
    """Open the drawer without a sale."""
    command = OpenDrawer(body.reason, actor.name, partial(authorise, actor))
    return await do_command(room, actor, command, key)


@router.get("/items")
async def find_items(
    room: RoomDep,
    _: Operating,
    q: Annotated[str, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=1, le=SEARCH_MAX)] = 30,
) -> list[FoundItem]:
    """Items by words of their name, GTIN or PLU."""
    found = await asyncio.to_thread(room.search.find, q, limit)
    return [
        FoundItem(
            gtin=each.item.gtin,
            name=each.item.name,
            price_minor=each.regular_minor,
            member_minor=each.member_minor,
            is_weighed=each.item.is_weighed,
            image=each.item.image,
        )
        for each in found
    ]


@router.get(
    "/pictures/{name}",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}}, 204: {"description": "Not here yet."}},
)
async def picture(
    room: RoomDep, _: Operating, name: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
) -> Response:
    """A picture of goods; 204 while the box has it not, which then fetches it for the next time."""
    found = await asyncio.to_thread(room.picture, name)
    if found is None:
        return Response(status_code=204)
    return Response(found, media_type=MEDIA_TYPE, headers=PICTURE_HEADERS)


@router.get("/price-check")
async def price_check(
    room: RoomDep,
    _: Operating,
    gtin: Annotated[str, Query(min_length=1, max_length=CODE_MAX)],
    qty: Annotated[int, Query(ge=1, le=QTY_MILLI_MAX)] = ONE_MILLI,
    at: Annotated[int | None, Query(ge=0, le=AT_MS_MAX)] = None,
) -> PriceCheck:
    """What an amount (thousandths) of an item costs at an instant (UTC ms; now), and why."""
    checks = PriceChecks.of(room.records, room.shop)
    return await asyncio.to_thread(checks.answer, gtin, qty, at)


@router.get("/receipts")
async def list_receipts(
    room: RoomDep,
    _: Operating,
    lane: int,
    limit: Annotated[int, Query(ge=1, le=RECEIPTS_MAX)] = 50,
) -> list[ReceiptRow]:
    """A lane's newest receipts, newest first."""
    return await asyncio.to_thread(_recent, room, lane, limit)


@router.get("/receipts/{receipt_no}")
async def get_receipt(room: RoomDep, _: Operating, receipt_no: str) -> Receipt:
    """One receipt as text."""
    return await asyncio.to_thread(_receipt, room, receipt_no)


def vouched_by(actor: Actor) -> str:
    """Id of who vouched for the request, "" where nobody had to."""
    return "" if actor.approver is None else actor.approver.id


async def do_command(room: SaleRoom, actor: Actor, command: Command, key: str | None) -> Response:
    """Hand a command to the lane of the session; refuses one without a key of its own."""
    if not key:
        raise RefusedError("request.idempotency_key")
    result = await asyncio.wrap_future(room.desk.put(actor.lane, command, key))
    answer = CommandAnswer(seq=result.seq, receipt_no=result.receipt_no)
    return Response(_ANSWER.dump_json(answer, exclude_none=True), media_type="application/json")


def _offers(room: SaleRoom, lane: int) -> Offers:
    shop = room.shop
    basket = room.desk.state(lane).basket or Basket("", shop.now_ms())
    pinned = replace(basket, revision=basket.revision or shop.catalogue.active_revision())
    found = offer_reasons(pinned, shop.sources, shop.layout.language)
    return Offers(
        acting=[ActingOffer(**asdict(each)) for each in found.acting],
        idle=[IdleOffer(**asdict(each)) for each in found.idle],
    )


def _recent(room: SaleRoom, lane: int, limit: int) -> list[ReceiptRow]:
    found = []
    for entry, copies in room.shop.journal.recent_sales(lane, limit):
        sale, at_ms = recorded_sale(entry)
        found.append(
            ReceiptRow(
                receipt_no=sale.receipt_no,
                at_ms=at_ms,
                total_minor=sale.totals.net_minor,
                copies=copies,
                print=room.shop.effects.shown(sale.receipt_no),
            )
        )
    return found


def _receipt(room: SaleRoom, receipt_no: str) -> Receipt:
    printed = printed_sale(room.shop.journal.sale_by_receipt(receipt_no))
    sale = printed.sale
    return Receipt(
        receipt_no=sale.receipt_no,
        at_ms=printed.at_ms,
        total_minor=sale.totals.net_minor,
        copies=room.shop.journal.copies_of(sale.receipt_no),
        print=room.shop.effects.shown(sale.receipt_no),
        text=room.shop.layout.text(printed),
    )
