"""A simulation's report for a person's eyes, as data, and as rows of a table. Pure.

Data and rows hold whole minor units and millionths; only the text has decimals.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from cloud.simulation.report import OfferRow, Section, SimulationReport
from cloud.simulation.tally import PPM, Margin, SideTally, WorstBasket
from shared.kernel.money import Currency, currency_of, format_minor
from shared.price.wording import name_of
from shared.sale.columns import text_columns

FORMAT = "tillbox-simulation/1"
LANGUAGE = "en"
NAME_CHARS = 40
WORST_SHOWN = 5
CSV_COLUMNS = (
    *("store_id", "currency", "rules", "offer_id", "version", "name", "baskets"),
    *("discount_minor", "times", "margin_minor", "margin_lines", "lines_without_cost"),
    *("winners", "winners_minor", "losers", "losers_minor"),
)


def report_data(report: SimulationReport) -> dict[str, Any]:
    """The whole report as JSON-able data."""
    return {
        "format": FORMAT,
        "from": report.from_on.isoformat(),
        "to": report.to_on.isoformat(),
        "stores": [_section_data(section) for section in report.stores],
        "totals": [_section_data(section) for section in report.totals],
    }


def _section_data(section: Section) -> dict[str, Any]:
    tally = section.tally
    return {
        "store_id": section.store_id,
        "currency": section.currency,
        "baskets": tally.baskets,
        "lines": tally.lines,
        "unreadable": tally.unreadable,
        "unlike_receipt": tally.unlike_receipt,
        "gross_minor": tally.gross_minor,
        "paid_minor": tally.paid_minor,
        **asdict(tally.change),
        "today": _side_data(tally.today, section.today),
        "draft": _side_data(tally.draft, section.draft),
    }


def _side_data(side: SideTally, rows: Sequence[OfferRow]) -> dict[str, Any]:
    return {
        "baskets": side.touched,
        "discount_minor": side.discount_minor,
        "due_minor": side.due_minor,
        "margin": _margin_data(side.margin),
        "offers": [_offer_data(row) for row in rows],
        "worst": [basket._asdict() for basket in side.worst.ranked()],
    }


def _offer_data(row: OfferRow) -> dict[str, Any]:
    did = row.did
    return {
        "id": row.offer.id,
        "version": row.offer.version,
        "name": name_of(row.offer, LANGUAGE),
        "baskets": did.baskets,
        "discount_minor": did.discount_minor,
        "times": did.times,
        "margin": _margin_data(did.margin),
        **asdict(did.change),
        "worst": [basket._asdict() for basket in did.worst.ranked()],
    }


def _margin_data(margin: Margin) -> dict[str, int]:
    return {**asdict(margin), "margin_minor": margin.margin_minor}


def report_rows(report: SimulationReport) -> Iterator[tuple[str | int, ...]]:
    """Rows of `CSV_COLUMNS`: each rule set of each store (no offer named), then its offers."""
    for section in (*report.stores, *report.totals):
        where = (section.store_id, section.currency)
        change = tuple(asdict(section.tally.change).values())
        for rules, side, rows in _sides(section):
            times = sum(row.did.times for row in rows)
            sums = (side.touched, side.discount_minor, times, *_margin_row(side.margin))
            yield (*where, rules, "", "", "", *sums, *change)
            for row in rows:
                offer, did = row.offer, row.did
                named = (offer.id, offer.version, name_of(offer, LANGUAGE))
                sums = (did.baskets, did.discount_minor, did.times, *_margin_row(did.margin))
                yield (*where, rules, *named, *sums, *asdict(did.change).values())


def _sides(section: Section) -> Iterator[tuple[str, SideTally, Sequence[OfferRow]]]:
    yield "today", section.tally.today, section.today
    yield "draft", section.tally.draft, section.draft


def _margin_row(margin: Margin) -> tuple[int, int, int]:
    return margin.margin_minor, margin.lines, margin.lines_without_cost


def report_texts(report: SimulationReport) -> Iterator[str]:
    """Lines for a terminal: each store, then the sums where there is more than one store."""
    yield f"Sales of {report.from_on} to {report.to_on}, priced again."
    for section in report.stores:
        yield from _section_texts(section, f"Store {section.store_id}, {section.currency}")
    for section in report.totals if len(report.stores) > 1 else ():
        yield from _section_texts(section, f"All stores, {section.currency}")


def _section_texts(section: Section, title: str) -> Iterator[str]:
    tally, money = section.tally, currency_of(section.currency)
    yield ""
    yield f"{title}: {tally.baskets:,} sales with {tally.lines:,} lines"
    if tally.unreadable:
        yield f"  {tally.unreadable:,} sales could not be read and are left out."
    if not tally.baskets:
        return
    yield from _table(_comparison(section, money))
    yield from _change_texts(section, money)
    for rules, side, rows in _sides(section):
        yield from _offer_texts(rules, rows, money)
        if rules == "draft":
            yield from _worst_texts(side.worst.ranked()[:WORST_SHOWN], money)


def _comparison(section: Section, money: Currency) -> Iterator[tuple[str, ...]]:
    today, draft = section.tally.today, section.tally.draft
    yield "", "today", "draft", "difference"
    for name, before, after in (
        ("customers owe", today.due_minor, draft.due_minor),
        ("offers give", today.discount_minor, draft.discount_minor),
        ("margin", today.margin.margin_minor, draft.margin.margin_minor),
    ):
        amounts = (format_minor(amount, money) for amount in (before, after))
        more = "+" if after > before else ""
        yield name, *amounts, more + format_minor(after - before, money)
    touched = draft.touched - today.touched
    yield "sales with an offer", f"{today.touched:,}", f"{draft.touched:,}", f"{touched:+,}"


def _change_texts(section: Section, money: Currency) -> Iterator[str]:
    tally, change = section.tally, section.tally.change
    less, more = (
        format_minor(amount, money) for amount in (change.winners_minor, change.losers_minor)
    )
    yield f"  {change.winners:,} customers pay less, together {less};"
    yield f"  {change.losers:,} pay more, together {more}."
    known = tally.draft.margin.lines - tally.draft.margin.lines_without_cost
    yield f"  Margin is over the {known:,} of {tally.lines:,} lines whose cost is known."
    if tally.unlike_receipt:
        yield (
            f"  {tally.unlike_receipt:,} receipts show another total than today's rules give:"
            " they were made under other rules."
        )


def _offer_texts(rules: str, rows: Sequence[OfferRow], money: Currency) -> Iterator[str]:
    if not rows:
        yield f"  {rules}: no offers"
        return
    table = [(f"{rules}:", "sales", "gives", "times", "margin", "less", "more", "")]
    table += [
        (
            row.offer.id,
            f"{row.did.baskets:,}",
            format_minor(row.did.discount_minor, money),
            f"{row.did.times:,}",
            format_minor(row.did.margin.margin_minor, money),
            f"{row.did.change.winners:,}",
            f"{row.did.change.losers:,}",
            name_of(row.offer, LANGUAGE)[:NAME_CHARS],
        )
        for row in rows
    ]
    yield from _table(table)


def _worst_texts(worst: Sequence[WorstBasket], money: Currency) -> Iterator[str]:
    if worst:
        yield "  the draft gives most of these:"
    for basket in worst:
        share = basket.share_ppm * 1000 // PPM
        off, gross = (
            format_minor(amount, money) for amount in (basket.discount_minor, basket.gross_minor)
        )
        yield (
            f"    receipt {basket.receipt_no} of store {basket.store_id}, {basket.day}:"
            f" {off} off {gross} ({share // 10}.{share % 10} %)"
        )


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Columns as wide as their widest cell; those without a heading stand left."""
    heading, *others = rows
    widths = [max(map(text_columns, column)) for column in zip(heading, *others, strict=True)]
    for row in (heading, *others):
        cells = []
        for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
            gap = " " * (width - text_columns(cell))
            is_left = place == 0 or not heading[place]
            cells.append(cell + gap if is_left else gap + cell)
        yield ("  " + "  ".join(cells)).rstrip()
