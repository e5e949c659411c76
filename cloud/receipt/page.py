"""The public page of a receipt: plain HTML without a script, readable, printable, translated."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from html import escape
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cloud.receipt.language import LANGUAGES, NAMES
from cloud.receipt.service import SHOWN, Finding, Standing
from cloud.receipt.store import Place
from cloud.texts import texts_of
from shared.kernel.errors import RefusedError
from shared.kernel.money import currency_of, format_minor
from shared.kernel.quantity import format_milli
from shared.sale.receipt_code import ReceiptLink, quoted

STYLE = files("cloud.receipt").joinpath("page.css").read_text(encoding="utf-8")
_STYLE_SHA256 = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_SHA256}'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)
PROOF_FILE = "proof.json"
_MARK = (
    '<svg width="32" height="32" viewBox="0 0 40 40" role="img" aria-label="Tillbox">'
    '<rect width="40" height="40" rx="10" fill="var(--accent)"/>'
    '<g fill="var(--on-accent)"><rect x="8" y="9.5" width="24" height="5.5" rx="2.75"/>'
    '<path d="M14.5 17.5h11v14.2l-2.75-2.2-2.75 2.2-2.75-2.2-2.75 2.2z"/></g></svg>'
)
_ICON = (
    '<svg viewBox="0 0 48 48" aria-hidden="true" fill="none" stroke="currentColor"'
    ' stroke-width="4" stroke-linecap="round" stroke-linejoin="round">'
    '<circle cx="24" cy="24" r="21"/><path d="{path}"/></svg>'
)
_TICK, _CLOCK, _CROSS = "M14 25l7 7 13-15", "M24 12v12l8 5", "M16 16l16 16M32 16L16 32"
_LOOKS = {
    Standing.STANDS: ("good", _TICK),
    Standing.PENDING: ("good", _TICK),
    Standing.BROKEN: ("wait", _TICK),
    Standing.AWAITED: ("wait", _CLOCK),
    Standing.CHANGED: ("bad", _CROSS),
    Standing.MISMATCH: ("bad", _CROSS),
    Standing.UNKNOWN: ("bad", _CROSS),
}
_ASKED = ("store", "day", "no", "code")


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page needs: its language and its own address without the query."""

    language: str
    path: str

    @property
    def texts(self) -> Mapping[str, str]:
        """The language's texts."""
        return texts_of(self.language)

    def say(self, name: str, **params: str) -> str:
        """A text of these pages, escaped, its parameters filled in."""
        text = self.texts[f"proof_page.{name}"]
        for key, value in params.items():
            text = text.replace(f"{{{key}}}", value)
        return escape(text)


def receipt_page(frame: Frame, finding: Finding, hq_pub: str) -> str:
    """How a receipt stands. Amount and goods only with the right code; `hq_pub` is hex."""
    say, standing = frame.say, finding.standing
    parts = [
        '<section class="card">',
        _verdict(frame, standing.value, _LOOKS[standing], day=finding.day),
        _facts(_receipt_facts(frame, finding)),
        "</section>",
    ]
    if finding.sale is not None and standing in SHOWN:
        parts.append(_goods(frame, finding))
    if standing is Standing.STANDS:
        parts.append(_proof(frame, finding, hq_pub))
    if finding.sale is not None:
        parts.append(f'<p class="private">{say("private")}</p>')
    return _page(frame, say(standing.value), "".join(parts))


def ask_page(frame: Frame, given: Mapping[str, str]) -> str:
    """A form for those who cannot scan; `given` is what was typed before."""
    say = frame.say
    labels = {"store": "store_id", "day": "day", "no": "number", "code": "code"}
    fields = "".join(
        f"<label>{say(labels[name])}"
        f'<input name="{name}" required maxlength="80" autocomplete="off"'
        f' type="{"date" if name == "day" else "text"}" value="{escape(given.get(name, ""))}">'
        "</label>"
        for name in _ASKED
    )
    form = (
        f'<section class="card"><form action="/r" method="get">'
        f'<h1>{say("ask")}</h1><p>{say("ask_text")}</p>{fields}<input type="hidden" name="lang"'
        f' value="{frame.language}"><button>{say("submit")}</button></form></section>'
    )
    return _page(frame, say("ask"), form, is_form=True)


def busy_page(frame: Frame, wait_ms: int) -> str:
    """Too many tries from one network."""
    minutes = str(-(-wait_ms // 60_000))
    verdict = _verdict(frame, "busy", ("wait", _CLOCK), minutes=minutes)
    return _page(frame, frame.say("busy"), f'<section class="card">{verdict}</section>')


def _verdict(frame: Frame, name: str, look: tuple[str, str], **params: str) -> str:
    tone, path = look
    return (
        f'<div class="verdict {tone}">{_ICON.format(path=path)}<h1>{frame.say(name)}</h1>'
        f"<p>{frame.say(f'{name}_text', **params)}</p></div>"
    )


def _receipt_facts(frame: Frame, finding: Finding) -> Iterable[tuple[str, str, str]]:
    """(class, label, value), both escaped."""
    say, link, place = frame.say, finding.link, finding.place
    if finding.sale is not None and place is not None:
        totals = finding.sale["data"]["sale"]["totals"]
        yield "amount", say("amount"), _money(totals["net_minor"], place)
        yield "", say("at"), _local(finding.sale["at"], place.time_zone)
        yield "", say("items"), escape(str(totals["units"]))
    name = link.store_id if place is None else f"{place.name} ({link.store_id})"
    yield "", say("store"), escape(name)
    yield "", say("day"), escape(link.business_date)
    yield "", say("number"), escape(link.receipt_no)
    yield "code", say("code"), escape(link.code)


def _goods(frame: Frame, finding: Finding) -> str:
    assert finding.sale is not None
    assert finding.place is not None
    say, place = frame.say, finding.place
    rows = "".join(
        f"<tr><td>{escape(str(line['name']))}</td>"
        f'<td class="num">{format_milli(line["qty_milli"])}</td>'
        f'<td class="num">{_money(line["net_minor"], place)}</td></tr>'
        for line in finding.sale["data"]["sale"]["lines"]
    )
    return (
        f'<section class="card"><h2>{say("lines")}</h2><table><thead><tr>'
        f'<th scope="col">{say("name")}</th><th scope="col" class="num">{say("quantity")}</th>'
        f'<th scope="col" class="num">{say("amount")}</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></section>"
    )


def _proof(frame: Frame, finding: Finding, hq_pub: str) -> str:
    assert finding.proof is not None
    say, proof = frame.say, finding.proof
    tree = proof.tree.head
    command = f"tillbox-cloud receipt verify --proof {PROOF_FILE} --hq-pub {hq_pub}"
    place = f"{proof.stream} / {proof.seq}"
    facts = (
        ("", say("sealed"), f"{tree.day} (UTC)"),
        ("", say("root"), tree.root.hex()),
        ("", say("place"), place),
        ("", say("key"), hq_pub),
    )
    download = ""
    if finding.is_printed_entry:
        download = (
            f"<p>{say('proof_text')}</p><pre>{escape(command)}</pre>"
            f'<a class="button" href="{escape(path_of(finding.link))}/{PROOF_FILE}" download>'
            f"{say('download')}</a>"
        )
    return f'<section class="card proof"><h2>{say("proof")}</h2>{download}{_facts(facts)}</section>'


def path_of(link: ReceiptLink) -> str:
    """The receipt's own path on this server."""
    parts = (link.store_id, link.business_date, link.receipt_no, link.code)
    return "/r/" + "/".join(map(quoted, parts))


def _facts(facts: Iterable[tuple[str, str, str]]) -> str:
    rows = "".join(
        f'<div class="{kind}"><dt>{label}</dt><dd class="{kind}">{value}</dd></div>'
        for kind, label, value in facts
    )
    return f'<dl class="facts">{rows}</dl>'


def _page(frame: Frame, title: str, body: str, *, is_form: bool = False) -> str:
    say = frame.say
    again = "" if is_form else f'<p><a href="/r?lang={frame.language}">{say("ask_again")}</a></p>'
    return (
        f'<!doctype html><html lang="{frame.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex">'
        f"<title>{title} · Tillbox</title><style>{STYLE}</style></head>"
        f'<body><div class="page"><header>{_MARK}<span class="name">Tillbox</span>'
        f'<span class="what">{say("title")}</span></header><main class="page">{body}</main>'
        f'<footer>{again}<nav aria-label="{say("languages")}">{_languages(frame)}</nav></footer>'
        "</div></body></html>"
    )


def _languages(frame: Frame) -> str:
    return "".join(
        f'<span lang="{each}" aria-current="true">{NAMES[each]}</span>'
        if each == frame.language
        else f'<a lang="{each}" hreflang="{each}" href="{escape(frame.path)}?lang={each}">'
        f"{NAMES[each]}</a>"
        for each in LANGUAGES
    )


def _money(minor: Any, place: Place) -> str:  # noqa: ANN401 - as the stored entry says it
    try:
        currency = currency_of(place.currency)
    except RefusedError:
        return escape(str(minor))
    return escape(f"{currency.symbol}{format_minor(int(minor), currency)}")


def _local(at_ms: int, time_zone: str) -> str:
    zone: tzinfo = UTC
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        time_zone = "UTC"
    try:
        local = datetime.fromtimestamp(at_ms / 1000, zone)
    except (OverflowError, ValueError):  # east of Greenwich the year 10000 has begun
        return ""
    return escape(f"{local:%Y-%m-%d %H:%M} ({time_zone})")
