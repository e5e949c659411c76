"""What the product is made of, and under which licences."""

from __future__ import annotations

import pytest

from hatch_build import SBOM_LOCKS, sbom
from tests.audit.licences import Licence, licences
from tests.lab.python_env import ROOT, entries_of

SHA256_CHARS, SHA512_CHARS = 64, 128


def test_the_bill_of_materials_names_every_pinned_package_with_its_hashes() -> None:
    parts = {part["purl"]: part for part in sbom(ROOT)["components"]}
    pinned = {
        f"pkg:pypi/{name}@{text.partition('==')[2].split()[0]}"
        for lock in SBOM_LOCKS
        for name, text in entries_of((ROOT / lock).read_text(encoding="utf-8"))
    }
    assert pinned == {purl for purl in parts if purl.startswith("pkg:pypi/")}
    assert "pkg:npm/svelte@" in " ".join(parts)
    sizes = {"SHA-256": SHA256_CHARS, "SHA-512": SHA512_CHARS}
    for part in parts.values():
        assert part["hashes"]
        assert all(len(each["content"]) == sizes[each["alg"]] for each in part["hashes"])


def test_what_is_installed_with_the_product_is_what_the_tests_run_with() -> None:
    everything = dict(entries_of((ROOT / "requirements.lock").read_text(encoding="utf-8")))
    for lock in SBOM_LOCKS:
        for name, text in entries_of((ROOT / lock).read_text(encoding="utf-8")):
            assert everything[name].split()[0] == text.split()[0]


def test_every_part_may_be_shipped() -> None:
    assert [f"{each.purl}: {each.expression}" for each in licences(ROOT) if not each.is_fit] == []


@pytest.mark.parametrize(
    ("expression", "is_fit"),
    [
        ("MIT", True),
        ("EPL-2.0 OR BSD-3-Clause", True),
        ("GPL-3.0-only OR MIT", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("MIT AND AGPL-3.0-only", False),
        ("AGPL-3.0-only", False),
        ("", False),
    ],
)
def test_which_licences_fit(expression: str, *, is_fit: bool) -> None:
    assert Licence("pkg:pypi/part@1", "part", expression).is_fit is is_fit
