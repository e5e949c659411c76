"""`tillbox-cloud price lint` tells each mistake of a file on a line, and fails on errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cloud.__main__ import main

TEA, COLA = "6901234567892", "4006381333931"
ITEMS = f"""\
ean13,name,department,category,brand,regular_price_cents,cost_cents,tax_bp,tags,promotable
{TEA},Tea,Grocery,drink,Leaf,1000,600,1300,hot|new,1
{COLA},Cola,Grocery,drink,,300,200,1300,,yes
"""


def an_offer(name: str, **words: Any) -> dict[str, Any]:
    reward = {"type": "percent_off", "bp": 500}
    plain = {"id": name, "level": "line", "target": {"category": ["drink"]}, "reward": reward}
    return {**plain, **words}


def run(
    folder: Path, capsys: pytest.CaptureFixture[str], *offers: dict[str, Any], **more: Any
) -> tuple[int, list[str], list[str]]:
    """Exit status and what was said; `items` is the table, `flags` are further arguments."""
    document = {"format": "tillbox-offers/1", "currency": "CNY", "offers": offers}
    (folder / "offers.json").write_text(json.dumps(document), encoding="utf-8")
    (folder / "items.csv").write_text(more.get("items", ITEMS), encoding="utf-8")
    files = (str(folder / "offers.json"), "--items", str(folder / "items.csv"))
    code = main(["price", "lint", *files, *more.get("flags", ())])
    said = capsys.readouterr()
    return code, said.out.splitlines(), said.err.splitlines()


def test_a_good_file_says_only_its_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = (0, ["offers: 1, errors: 0, warnings: 0, remarks: 0"], [])
    assert run(tmp_path, capsys, an_offer("a")) == told


def test_findings_come_line_by_line_errors_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    half = {"type": "percent_off", "percent": "50"}
    offers = [an_offer("half", reward=half), an_offer("lost", target={"tag": ["cold"]})]
    code, out, _ = run(tmp_path, capsys, *offers)
    assert code == 1
    assert out == [
        "error lint.no_goods [lost]: No item of the catalogue fits its goods, so it never acts.",
        (
            f"warning lint.below_cost [half]: {COLA} sells below cost: with 1 in the basket each "
            "brings ¥1.50, but costs ¥2.26 including tax."
        ),
        "offers: 2, errors: 1, warnings: 1, remarks: 0",
    ]


def test_warnings_alone_are_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(tmp_path, capsys, an_offer("old", valid={"to": "2001-01-01"}))
    assert (code, out[-1]) == (0, "offers: 1, errors: 0, warnings: 1, remarks: 0")


def test_findings_as_json_have_their_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = an_offer("lost", target={"sku": [TEA, "x"]})
    code, out, _ = run(tmp_path, capsys, lost, flags=["--json"])
    (found,) = json.loads("\n".join(out))
    assert code == 0
    assert found["code"] == "lint.sku_unknown"
    assert found["severity"] == "warning"
    assert found["offers"] == ["lost"]
    assert found["params"] == {"item": "x", "count": 1}
    assert "x" in found["text"]


def test_tags_departments_and_brands_select_as_at_the_till(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A second offer on the same goods is told, so its count shows what was selected.
    both = [
        an_offer("a", target={"tag": ["hot", "brand:Leaf"]}),
        an_offer("b", target={"sku": [TEA]}),
    ]
    code, out, _ = run(tmp_path, capsys, *both)
    assert code == 0
    assert out[0].startswith("warning lint.overlap [a, b]: 2 stacking offers of one level")


def test_offers_of_different_stores_do_not_meet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    apart = [an_offer("a", stores=["17"]), an_offer("b", stores=["18"])]
    assert run(tmp_path, capsys, *apart)[1] == ["offers: 2, errors: 0, warnings: 0, remarks: 0"]
    joined = [an_offer("a", stores=["17"]), an_offer("b", stores=["17", "18"])]
    assert run(tmp_path, capsys, *joined)[1][-1].endswith("warnings: 1, remarks: 0")
    only = run(tmp_path, capsys, *joined, flags=["--store", "18"])
    assert only[1][-1].endswith("warnings: 0, remarks: 0")


def test_an_offer_in_every_store_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = an_offer("lost", target={"tag": ["cold"]})
    here, there = an_offer("a", stores=["17"]), an_offer("b", stores=["18"])
    _, out, _ = run(tmp_path, capsys, lost, here, there)
    assert [line.partition(":")[0] for line in out[:-1]] == ["error lint.no_goods [lost]"]


def test_errors_of_the_file_itself_come_with_their_places(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, error = run(tmp_path, capsys, an_offer("a", level="lin"), an_offer("b", target={}))
    assert (code, out) == (1, [])
    assert error[0].startswith("offers[0].level: There is no lin here. Did you mean line?")
    assert error[1].startswith("offers[1].target: An empty selection")
    assert error[2].startswith("tillbox-cloud: ")


def test_every_bad_cell_of_the_table_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items = (
        "ean13,regular_price_cents,tax_bp,weighed\n"
        f"{TEA},,x,0\n{COLA},300,20000,maybe\n1,5,,\n{TEA},5,,\n{TEA},6,,\n"
    )
    code, _, error = run(tmp_path, capsys, an_offer("a"), items=items)
    assert code == 1
    assert [line.partition(":")[0] for line in error] == [
        "line 2, tax_bp",
        "line 2, regular_price_cents",
        "line 3, tax_bp",
        "line 3, weighed",
        "line 4, ean13",
        "line 6, ean13",
        "tillbox-cloud",
    ]


def test_amounts_in_quotes_need_a_currency(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "offers.yaml"
    path.write_text(
        "format: tillbox-offers/1\noffers:\n"
        "  - {id: a, level: line, target: {all: true},\n"
        "     reward: {type: price_each, amount: '2.50'}}\n",
        encoding="utf-8",
    )
    (tmp_path / "items.csv").write_text(ITEMS, encoding="utf-8")
    arguments = ["price", "lint", str(path), "--items", str(tmp_path / "items.csv")]
    assert main(arguments) == 1
    assert "offers[0].reward.amount (line 4)" in capsys.readouterr().err
    assert main([*arguments, "--currency", "CNY"]) == 0
    assert "¥2.50" in capsys.readouterr().out
