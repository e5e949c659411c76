"""`tillbox-cloud price check`: golden baskets priced and compared; no database, no network."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cloud.commands.say import say
from cloud.price.case_check import Verdict, check_case
from cloud.price.case_view import case_texts, failure_text, result_document, sum_text, sum_texts
from cloud.price.cases import read_cases
from cloud.settings import Settings
from shared.kernel.errors import MissingError


def check(settings: Settings, chosen: Namespace) -> int:
    """Check a file's cases, or one; returns 0 when none fails and 1 otherwise.

    The last line is always "N passed, N failed". Raises MissingError `price.case_unknown` for
    an id that is not in the file, and what `read_cases` raises.
    """
    del settings
    cases = read_cases(chosen.file)
    if chosen.case is not None:
        verdicts = _one(cases, chosen.file, chosen.case)
        texts = [*(text for each in verdicts for text in case_texts(each)), sum_text(verdicts)]
    else:
        verdicts = [check_case(raw, number) for number, raw in enumerate(cases, start=1)]
        failed = [each for each in verdicts if not each.is_passed]
        texts = [*map(failure_text, failed), *sum_texts(verdicts)]
    if chosen.json is not None:
        _write(chosen.json, verdicts)
    say("\n".join(texts))
    return 0 if all(each.is_passed for each in verdicts) else 1


def _one(cases: Sequence[Mapping[str, Any]], path: Path, wanted: str) -> list[Verdict]:
    found = [check_case(raw) for raw in cases if str(raw.get("id")) == wanted]
    if not found:
        raise MissingError("price.case_unknown", path=str(path), id=wanted)
    return found


def _write(path: Path, verdicts: Sequence[Verdict]) -> None:
    text = json.dumps(result_document(verdicts), ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
