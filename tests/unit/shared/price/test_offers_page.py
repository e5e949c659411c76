"""The page on offers says what the code does."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path

from cloud.offer.file import read_offers
from shared.price import lint as lint_module

ROOM = Path(lint_module.__file__).parent
PAGE = (ROOM / "OFFERS.md").read_text(encoding="utf-8")


def test_its_example_is_a_document() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    document = read_offers(io.BytesIO(example.encode()))
    assert [entry.offer.id for entry in document.entries] == ["1111-steps", "happy-hour"]
    assert document.entries[1].stores == ("17", "18")


def test_its_table_has_every_finding_with_its_severity() -> None:
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \| ([a-z, ]+) \|", PAGE, re.MULTILINE)
    told = {code: severity for codes, severity in rows for code in re.findall(r"`(\w+)`", codes)}
    texts = set(
        re.findall(r'"offer\.lint\.(\w+)"', (ROOM.parent / "i18n" / "en.json").read_text("utf-8"))
    )
    assert set(told) == texts
    for code, severity in severities().items():
        assert severity in told[code], code


def severities() -> dict[str, str]:
    """The severity with which each finding is made, by its code."""
    found = {}
    for path in ROOM.glob("lint*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            severity = node.func.id.removeprefix("_")
            code = node.args[1] if len(node.args) > 1 else None
            if severity in {"error", "warning", "info"} and isinstance(code, ast.Constant):
                found[str(code.value)] = severity
    return found
