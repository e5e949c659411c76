"""The public pages over HTTP. Nobody signs in; whoever has the receipt has its code."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from cloud.access import PUBLIC, ContextDep
from cloud.clock import monotonic_s
from cloud.context import Context
from cloud.limiter import FailureLimiter
from cloud.receipt.language import language_of
from cloud.receipt.page import (
    CONTENT_SECURITY_POLICY,
    PROOF_FILE,
    Frame,
    ask_page,
    busy_page,
    path_of,
    receipt_page,
)
from cloud.receipt.service import SHOWN, Finding, Standing, look_up
from shared.journal.proof import proof_bytes
from shared.kernel.errors import MissingError, RefusedError
from shared.sale.receipt_code import ReceiptLink, receipt_link

ANSWER_SECONDS = 0.2
"""No answer is given sooner, so that its time does not tell whether a number exists."""
FAILURES_MAX = 30
LOOKS_MAX = 300
"""Looks of one address in a window, right ones too: each has to follow a day's chain."""
WINDOW_MS = 5 * 60_000
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "Vary": "Accept-Language",
}

ASKED = ("store", "day", "no", "code")
Text = Annotated[str, Query(max_length=80)]
Name = Annotated[str, Path(max_length=80)]
Accept = Annotated[str, Header()]


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds guessing, and what bounds asking again and again."""

    failures: FailureLimiter
    looks: FailureLimiter

    def wait_ms(self, address: str, mono_ms: int) -> int:
        """How long an address has to wait; 0 when it may look, and this look is counted."""
        wait_ms = max(each.wait_ms(address, mono_ms) for each in (self.failures, self.looks))
        if wait_ms == 0:
            self.looks.failed(address, mono_ms)
        return wait_ms


@dataclass(frozen=True, slots=True)
class Visit:
    """One look at one receipt; `link` is None for an address that can be none."""

    request: Request
    context: Context
    asked: tuple[str, str, str, str]

    @property
    def address(self) -> str:
        """Who asks."""
        return self.request.client.host if self.request.client else ""

    @property
    def limits(self) -> Limits:
        """What bounds this app's visitors."""
        limits = self.request.app.state.receipt_limits
        assert isinstance(limits, Limits)
        return limits

    def wait_ms(self) -> int:
        """How long this address has to wait; 0 when it may look."""
        return self.limits.wait_ms(self.address, self.context.clock.mono_ms())

    async def finding(self) -> Finding:
        """How the receipt stands, told no sooner than `ANSWER_SECONDS` after the question."""
        began = monotonic_s()
        finding = await asyncio.to_thread(self._look_up)
        if finding.standing not in SHOWN:
            self.limits.failures.failed(self.address, self.context.clock.mono_ms())
        await asyncio.sleep(max(0.0, began + ANSWER_SECONDS - monotonic_s()))
        return finding

    def _look_up(self) -> Finding:
        link = receipt_link(*self.asked)
        if link is None:
            return Finding(Standing.UNKNOWN, ReceiptLink(*self.asked))
        hq_pub = bytes.fromhex(self.context.hq_key.public_hex)
        with self.context.database.begin() as connection:
            return look_up(connection, link, hq_pub)


def asked_for(
    store: Text = "", day: Text = "", no: Text = "", code: Text = ""
) -> tuple[str, str, str, str]:
    """What the form was filled in with."""
    return store, day, no, code


def named_in(store: Name, day: Name, no: Name, code: Name) -> tuple[str, str, str, str]:
    """What a receipt's address names."""
    return store, day, no, code


def visit_of(
    request: Request,
    context: ContextDep,
    asked: Annotated[tuple[str, str, str, str], Depends(named_in)],
) -> Visit:
    """The visit that a receipt's address asks for."""
    return Visit(request, context, asked)


router = APIRouter(prefix="/r", tags=["receipt"], dependencies=[Depends(PUBLIC)])


def new_limits() -> Limits:
    """What bounds visitors: one for each app, in `app.state.receipt_limits`."""
    return Limits(
        FailureLimiter(failures_max=FAILURES_MAX, window_ms=WINDOW_MS),
        FailureLimiter(failures_max=LOOKS_MAX, window_ms=WINDOW_MS),
    )


@router.get("", include_in_schema=False)
def ask(
    asked: Annotated[tuple[str, str, str, str], Depends(asked_for)],
    lang: Text = "",
    accept_language: Accept = "",
) -> Response:
    """A form for a receipt's four numbers; leads on to its page."""
    frame = Frame(language_of(lang, accept_language), "/r")
    link = receipt_link(*asked) if asked[0].strip() and asked[2].strip() else None
    if link is not None:
        return RedirectResponse(f"{path_of(link)}?lang={frame.language}", status_code=303)
    return _html(ask_page(frame, dict(zip(ASKED, asked, strict=True))))


@router.get("/{store}/{day}/{no}/{code}", include_in_schema=False)
async def receipt(
    visit: Annotated[Visit, Depends(visit_of)], lang: Text = "", accept_language: Accept = ""
) -> Response:
    """How a receipt stands, for anybody who has it."""
    frame = Frame(language_of(lang, accept_language), visit.request.url.path)
    wait_ms = visit.wait_ms()
    if wait_ms > 0:
        return _html(busy_page(frame, wait_ms), 429)
    finding = await visit.finding()
    page = receipt_page(frame, finding, visit.context.hq_key.public_hex)
    return _html(page, 404 if finding.standing is Standing.UNKNOWN else 200)


@router.get("/{store}/{day}/{no}/{code}/" + PROOF_FILE, response_class=Response)
async def proof(visit: Annotated[Visit, Depends(visit_of)]) -> Response:
    """The proof that a receipt stands in the signed ledger, as JSON without its contents.

    404 `receipt.no_proof` while the ledger is not sealed or when the receipt does not stand.
    """
    wait_ms = visit.wait_ms()
    if wait_ms > 0:
        raise RefusedError("receipt.too_many_tries", wait_s=-(-wait_ms // 1000))
    finding = await visit.finding()
    if finding.proof is None or not finding.is_printed_entry:
        raise MissingError("receipt.no_proof")
    name = f"receipt-{finding.link.receipt_no}-{PROOF_FILE}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    data = proof_bytes(finding.proof.withheld())
    return Response(data, headers=headers, media_type="application/json")


def _html(page: str, status: int = 200) -> Response:
    return HTMLResponse(page, status_code=status, headers=HEADERS)
