"""The pack as five CSV tables in a folder, plain or xz-compressed."""

import csv
import lzma
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from tests.demo.pack.model import (
    CatalogueRow,
    DailyClose,
    DemoPack,
    PriceEvent,
    Receipt,
    ReceiptLine,
)

TABLES = ("catalogue", "price_events", "receipts", "receipt_lines", "expected_daily_close")

_Row = TypeVar("_Row")
_PARSE: dict[object, Callable[[str], object]] = {
    int: int,
    str: str,
    bool: lambda text: text == "1",
    int | None: lambda text: int(text) if text else None,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
}


def has_pack(folder: Path) -> bool:
    """Tell whether every table is there."""
    return all(_file_of(folder, table) is not None for table in TABLES)


def read_pack(folder: Path) -> DemoPack:
    """Read the five tables of a folder; raises ValueError for lines without a receipt."""
    lines = {
        basket_no: tuple(group)
        for basket_no, group in groupby(
            _rows(folder, "receipt_lines", ReceiptLine), key=attrgetter("basket_no")
        )
    }
    receipts = tuple(
        Receipt(**head, lines=lines.pop(head["basket_no"], ()))
        for head in _records(folder, "receipts", Receipt)
    )
    if lines:
        message = f"{folder}: receipt lines without a receipt, first basket {next(iter(lines))}"
        raise ValueError(message)
    return DemoPack(
        catalogue=tuple(_rows(folder, "catalogue", CatalogueRow)),
        price_events=tuple(_rows(folder, "price_events", PriceEvent)),
        receipts=receipts,
        expected_daily_close=tuple(_rows(folder, "expected_daily_close", DailyClose)),
    )


def write_pack(pack: DemoPack, folder: Path) -> None:
    """Write the five tables as plain CSV; the folder must exist."""
    lines = [line for receipt in pack.receipts for line in receipt.lines]
    _write(folder / "catalogue.csv", CatalogueRow, pack.catalogue)
    _write(folder / "price_events.csv", PriceEvent, pack.price_events)
    _write(folder / "receipts.csv", Receipt, pack.receipts)
    _write(folder / "receipt_lines.csv", ReceiptLine, lines)
    _write(folder / "expected_daily_close.csv", DailyClose, pack.expected_daily_close)


def columns_of(row_type: type) -> tuple[str, ...]:
    """Name the CSV columns of a row type: its fields, without a receipt's nested lines."""
    hints = get_type_hints(row_type)
    return tuple(field.name for field in fields(row_type) if hints[field.name] in _PARSE)


def _file_of(folder: Path, table: str) -> Path | None:
    candidates = (folder / f"{table}.csv", folder / f"{table}.csv.xz")
    return next((path for path in candidates if path.is_file()), None)


def _records(folder: Path, table: str, row_type: type) -> Iterator[dict[str, Any]]:
    path = _file_of(folder, table)
    if path is None:
        message = f"{folder}: {table}.csv or {table}.csv.xz is missing"
        raise FileNotFoundError(message)
    hints = get_type_hints(row_type)
    parsers = [(name, _PARSE[hints[name]]) for name in columns_of(row_type)]
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        for record in csv.DictReader(file):
            yield {name: parse(record[name]) for name, parse in parsers}


def _rows(folder: Path, table: str, row_type: type[_Row]) -> Iterator[_Row]:
    return (row_type(**record) for record in _records(folder, table, row_type))


def _write(path: Path, row_type: type, rows: Iterable[object]) -> None:
    names = columns_of(row_type)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_text(getattr(row, name)) for name in names] for row in rows)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)
