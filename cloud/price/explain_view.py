"""A basket's prices and the reasons behind them, in a person's language. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cloud.price.cases import Case
from shared.kernel.money import Currency, format_minor
from shared.kernel.quantity import format_milli
from shared.price.derivation import AppliedOffer, Derivation
from shared.price.explain import Explanation, explain
from shared.price.offer import Offer
from shared.price.offer_book import OfferBook
from shared.price.tax import tax_minor
from shared.price.wording import hint_text, name_of, why_not_text
from shared.sale.columns import text_columns

COLUMNS = ("line", "qty", "list", "off", "net", "tax")


@dataclass(frozen=True, slots=True)
class Voice:
    """Texts by key, their language, and how money looks."""

    texts: Mapping[str, str]
    language: str
    currency: Currency

    def text(self, key: str, **filled: str) -> str:
        """One text with its places filled."""
        text = self.texts[f"explain.{key}"]
        for name, value in filled.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def money(self, minor: int) -> str:
        """An amount without symbol."""
        return format_minor(minor, self.currency)


def explained_texts(case: Case, voice: Voice) -> Iterator[str]:
    """Lines of text: the basket, what acted with its shares, what did not and why, hints."""
    book = OfferBook.of(case.offers)
    found = explain(case.lines, book, case.context, case.at, case.policy)
    yield from _table(_rows(case, found.derivation, voice))
    yield ""
    yield from _acted_texts(case, found.derivation, voice)
    yield from _not_acted_texts(found, book, voice)


def _rows(case: Case, found: Derivation, voice: Voice) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [[voice.text(column) for column in COLUMNS]]
    sums = [0, 0, 0, 0]
    for name, line, net in zip(case.names, case.lines, found.nets, strict=True):
        gross = line.gross_minor
        amounts = (gross, net - gross, net, tax_minor(net, line.tax_bp, case.policy))
        sums = [left + right for left, right in zip(sums, amounts, strict=True)]
        qty = f"{format_milli(line.qty_milli)} {line.uom}".rstrip()
        rows.append([name, qty, *map(voice.money, amounts)])
    rows.append([voice.text("total"), "", *map(voice.money, sums)])
    return rows


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as their widest cell; a Han character is two columns wide."""
    widths = [max(map(text_columns, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = [first + " " * (widths[0] - text_columns(first))]
        for cell, width in zip(rest, widths[1:], strict=True):
            cells.append(" " * (width - text_columns(cell)) + cell)
        yield "  ".join(cells).rstrip()


def _acted_texts(case: Case, found: Derivation, voice: Voice) -> Iterator[str]:
    yield voice.text("acted" if found.applied else "acted_none")
    names = {line.key: name for name, line in zip(case.names, case.lines, strict=True)}
    for applied in found.applied:
        yield from _applied_texts(applied, names, voice)


def _applied_texts(applied: AppliedOffer, names: Mapping[int, str], voice: Voice) -> Iterator[str]:
    amount, base = voice.money(applied.amount_minor), voice.money(applied.base_minor)
    gives = voice.text("gives", amount=amount, base=base)
    times = f" ({voice.text('times', n=str(applied.times))})" if applied.times > 1 else ""
    yield f"  {_called(applied.offer, voice)}: {gives}{times}"
    for share in applied.shares:
        amount, units = voice.money(share.amount_minor), str(share.units)
        yield f"    {voice.text('share', line=names[share.line], amount=amount, units=units)}"


def _called(offer: Offer, voice: Voice) -> str:
    name = name_of(offer, voice.language)
    return name if name == offer.id else f"{name} [{offer.id}]"


def _not_acted_texts(found: Explanation, book: OfferBook, voice: Voice) -> Iterator[str]:
    around = (voice.texts, voice.language, voice.currency, book)
    if found.why_not:
        yield from ("", voice.text("not_acted"))
    for each in found.why_not:
        yield f"  {_called(each.offer, voice)}: {why_not_text(each, *around)}"
    if found.hints:
        yield from ("", voice.text("hints"))
    for hint in found.hints:
        yield f"  {hint_text(hint, *around)}"
