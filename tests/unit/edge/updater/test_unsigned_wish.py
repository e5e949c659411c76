"""A wish of software is not signed as a whole: before its signature holds it names nothing."""

from __future__ import annotations

import pytest

from edge.updater import install
from edge.updater.launcher import Releases
from tests.fakes.releases import a_program

TRUSTED, FAILED = "1.0.0", "1.1.0"


@pytest.fixture
def releases(tmp_path) -> Releases:
    made = Releases(tmp_path / "opt")
    made.folder.mkdir(parents=True)
    a_program(made, TRUSTED)
    a_program(made, FAILED)
    made.point(TRUSTED)
    return made


@pytest.mark.parametrize(
    "name", ["../../shop", "{shop}", ".", "..", "1.0.0/.", "./1.0.0", "1.0.0/"]
)
def test_a_version_that_is_a_path_removes_nothing(releases, tmp_path, name) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "journal.db").write_text("sales")
    install.drop(releases, name.format(shop=shop))
    assert (shop / "journal.db").read_text() == "sales"
    assert releases.runs(TRUSTED)
    assert releases.runs(FAILED)


def test_a_release_that_failed_is_removed(releases) -> None:
    install.drop(releases, FAILED)
    assert not releases.runs(FAILED)
    assert releases.runs(TRUSTED)
