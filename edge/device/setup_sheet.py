"""Printable sheets of the barcodes that set a scanner up, made from `scanners/setup/*.toml`.

A scanner takes a Code 128 with FNC3 in front as an order to itself (ISO/IEC 15417, "reader
initialisation"); some makers use plain Code 128 with an envelope of their own.  The sheet ends with
codes to try, and what the till should show for them.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from shared.kernel.errors import RefusedError

Symbol = Literal["fnc3", "code128"]
Texts = tuple[str, str, str]
"""zh-CN, zh-TW, en."""
_FNC3 = "\xf3"
"""How reportlab spells the symbol character FNC3."""
_TRIAL_EAN = "6901234567892"


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One barcode to scan: what it says to the scanner, its name, and why it is wanted."""

    command: str
    title: Texts
    why: Texts


@dataclass(frozen=True, slots=True)
class SetupSheet:
    """All of one maker's sheet; `steps` in their order, `options` only where they say so."""

    maker: str
    models: str
    setting: str
    symbol: Symbol
    steps: tuple[SetupStep, ...]
    options: tuple[SetupStep, ...]


def read_sheet(path: Path) -> SetupSheet:
    """Read one sheet's description. Raises RefusedError `sheet.unreadable` with the reason."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
        if given["symbol"] not in {"fnc3", "code128"}:
            raise KeyError("symbol")  # noqa: TRY301 - told like every other slip below
        return SetupSheet(
            given["maker"],
            given["models"],
            given["setting"],
            given["symbol"],
            tuple(map(_step, given["step"])),
            tuple(map(_step, given.get("option", []))),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RefusedError("sheet.unreadable", file=str(path), because=str(error)) from error


def _step(given: dict[str, Any]) -> SetupStep:
    title, why = tuple(given["title"]), tuple(given["why"])
    if (len(title), len(why)) != (3, 3) or not given["command"].isascii():
        raise ValueError(given["command"])
    return SetupStep(given["command"], title, why)


def sheet_pdf(sheet: SetupSheet) -> bytes:
    """The sheet as an A4 PDF; the same sheet gives the same bytes."""
    # Late: only this command draws, and the library takes a tenth of a second to load.
    from edge.device.setup_sheet_pdf import Page  # noqa: PLC0415

    page = Page(f"{sheet.maker} · Tillbox")
    page.head(sheet.maker, sheet.models)
    page.note(
        (
            "按顺序扫描每个条码；每扫一个，扫码枪会响。盒子不必开机。",
            "依序掃描每個條碼；每掃一個，掃描器會響。盒子不必開機。",
            "Scan the codes in their order; the scanner beeps for each. The box may be off.",
        )
    )
    for number, step in enumerate(sheet.steps, 1):
        page.code(str(number), step.title, step.why, symbol_text(sheet, step))
    if sheet.options:
        page.section(("仅在需要时", "僅在需要時", "Only where needed"))
    for step in sheet.options:
        page.code("○", step.title, step.why, symbol_text(sheet, step))
    page.section(("试一试", "試一試", "Try it"))
    page.ean(
        _TRIAL_EAN,
        (
            f"款台应显示 {_TRIAL_EAN}（没有该商品时列为未知条码）。",
            f"收銀台應顯示 {_TRIAL_EAN}（沒有該商品時列為未知條碼）。",
            f"The till shows {_TRIAL_EAN} (as an unknown code where there is no such item).",
        ),
    )
    page.note((f"edge.toml: {sheet.setting}",) * 3, is_once=True)
    return page.bytes()


def symbol_text(sheet: SetupSheet, step: SetupStep) -> str:
    """What the Code 128 symbol carries, FNC3 as the drawing library spells it."""
    return (_FNC3 if sheet.symbol == "fnc3" else "") + step.command
