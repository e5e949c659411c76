"""What lint finds: a code, how bad it is, and who is to blame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.kernel.money import Currency, format_minor

Param = str | int


class Severity(StrEnum):
    """An error can only be a mistake; a warning is one unless it is meant; info is good to know."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding about one offer or several (their ids); its text is `offer.<code>`.

    Parameters named `_minor` are amounts in minor units.
    """

    code: str
    severity: Severity
    offers: tuple[str, ...]
    params: Mapping[str, Param] = field(default_factory=dict)


def finding_text(found: Finding, texts: Mapping[str, str], currency: Currency | None) -> str:
    """The sentence of a finding; without a currency amounts are shown in minor units."""
    text = texts[f"offer.{found.code}"]
    for name, value in found.params.items():
        text = text.replace(f"{{{name}}}", _shown(name, value, currency))
    return text


def _shown(name: str, value: Param, currency: Currency | None) -> str:
    if currency is None or not name.endswith("_minor"):
        return str(value)
    return f"{currency.symbol}{format_minor(int(value), currency)}"
