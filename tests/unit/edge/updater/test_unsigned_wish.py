"""A wish of software is not signed as a whole: before its signature holds it names nothing."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest

from edge.updater import install
from edge.updater.launcher import Releases
from edge.updater.notebook import Notebook
from edge.updater.service import Updater, UpdaterParts
from shared.wire.message import DesiredSoftware
from tests.fakes.paper_shop import StillClock
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


def test_a_wish_that_cannot_be_kept_is_kept_when_it_comes_again(tmp_path) -> None:
    """Nothing that a document says of software may hinder what it says of prices."""
    updater = Updater(_parts(tmp_path))
    blocked = tmp_path / "update"
    blocked.write_text("no folder can be made here")
    wish = DesiredSoftware("1.1.0", "ab" * 32, "cd" * 64)
    updater.desire(wish)
    assert updater.report().wanted == "1.1.0"
    blocked.unlink()
    updater.desire(wish)
    assert Notebook(blocked).wanted() == wish


def _parts(data: Path) -> UpdaterParts:
    def nothing(*_: object) -> object:
        raise AssertionError

    return UpdaterParts(
        releases=None,
        running=TRUSTED,
        data_dir=data,
        hq_pub="",
        zone=UTC,
        clock=StillClock(),  # type: ignore[arg-type]
        fetch=nothing,  # type: ignore[arg-type]
        forget=lambda: None,
        senses=nothing,  # type: ignore[arg-type]
        shop=nothing,  # type: ignore[arg-type]
        restart=lambda: None,
        told=lambda: None,
    )
