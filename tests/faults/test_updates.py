"""Software that is cut off in any state, or that does not hold: the shop opens in the morning."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from shared.release.lock import BASKET
from shared.release.state import State
from tests.fakes.releases import REPLAYED, a_wheel
from tests.faults.box.updating import (
    AT_REST,
    CRASHES,
    GOES_ON,
    KILLED,
    NEW,
    NOTHING_TO_RUN,
    OLD,
    QUIET_SHOP,
    RESTARTS,
    UpdatingBox,
)

STEPS_MAX = 200
EVERY = int(os.environ.get("TILLBOX_KILL_EVERY", "6"))
"""1 cuts the power in front of every durable step, which takes half a minute."""


def an_updating_box(folder: Path, **changed) -> UpdatingBox:
    made = UpdatingBox(folder / "box", **changed)
    made.want(made.shelf.release(NEW, a_wheel(folder / "wheels", NEW)))
    return made


@pytest.fixture
def box(tmp_path) -> UpdatingBox:
    return an_updating_box(tmp_path)


def test_a_box_comes_to_run_what_head_office_wants(box: UpdatingBox) -> None:
    assert box.run() == [RESTARTS, AT_REST]
    assert box.versions() == [OLD, NEW]
    assert box.releases.note().trusted == NEW
    assert box.releases.note().previous == OLD
    assert box.book.progress().no == 1


@pytest.mark.parametrize(
    ("ill", "states"),
    [
        ("", {"download", "install", "verify", "swap", "watch", "commit"}),
        ("release.ui", {"watch", "rollback"}),
    ],
)
def test_a_power_cut_in_any_state_leaves_the_old_or_the_new_software_running(
    ill: str, states: set[str], tmp_path
) -> None:
    """Each start in its turn is cut off in front of its n-th step that makes something durable."""
    cut_in: set[str] = set()
    for start in range(3):
        for step in range(1, STEPS_MAX, EVERY):
            box = an_updating_box(tmp_path / f"{start}-{step}", ill=ill)
            if AT_REST in [box.start() for _ in range(start)] or box.start(step) != KILLED:
                break
            cut_in.add(box.state())
            _comes_to_rest(box)
    assert cut_in >= states


def _comes_to_rest(box: UpdatingBox) -> None:
    box.boot = "boot-2"  # a kill without a power cut is a crash, and counts as one
    started = len(box.versions())
    ends = box.run()
    assert NOTHING_TO_RUN not in ends
    assert set(box.versions()[started : started + 2]) <= {OLD, NEW}
    assert box.ill or {RESTARTS, AT_REST, GOES_ON} & set(ends[:2])
    assert ends[-1] == AT_REST
    assert box.releases.current() == box.releases.note().trusted == (OLD if box.ill else NEW)
    assert box.state() is (State.FAILED if box.ill else State.IDLE)


def test_a_release_that_cannot_start_is_given_up_after_three_tries(tmp_path) -> None:
    box = an_updating_box(tmp_path, ill="crash")
    assert box.run() == [RESTARTS, CRASHES, CRASHES, CRASHES, AT_REST]
    assert box.versions() == [OLD, NEW, NEW, NEW, OLD]
    assert box.book.progress().error == "release.crashed"


def test_a_release_that_was_well_and_then_crashes_is_given_up_at_once(tmp_path) -> None:
    box = an_updating_box(tmp_path, ill="crash later")
    assert box.run() == [RESTARTS, CRASHES, AT_REST]
    assert box.versions() == [OLD, NEW, OLD]
    assert (box.state(), box.book.progress().error) == (State.FAILED, "release.crashed")
    assert box.releases.note().failed == NEW


def test_what_failed_is_tried_again_only_when_it_is_signed_anew(tmp_path) -> None:
    box = an_updating_box(tmp_path, ill="crash later")
    box.run()
    assert box.start() == AT_REST
    box.ill = ""
    box.want(box.shelf.release(NEW, a_wheel(tmp_path / "wheels", NEW), no=2))
    assert box.run() == [RESTARTS, AT_REST]
    assert box.releases.current() == NEW


def test_a_release_that_counts_otherwise_is_refused(tmp_path) -> None:
    other = {**REPLAYED, "receipts": {"1-000001": [1491, 1490, 0]}}
    box = an_updating_box(tmp_path, replayed=other)
    assert box.run() == [AT_REST]
    assert box.versions() == [OLD]
    assert (box.state(), box.book.progress().error) == (State.FAILED, "release.replay")


def test_software_waits_while_a_basket_is_open(tmp_path) -> None:
    box = an_updating_box(tmp_path, shop=replace(QUIET_SHOP, open_baskets=1))
    assert box.start() == GOES_ON
    assert (box.state(), box.releases.current()) == (State.SWAP, OLD)
    box.shop = QUIET_SHOP
    assert box.run() == [RESTARTS, AT_REST]
    assert box.releases.current() == NEW
    assert BASKET == "release.held.basket"


def test_a_wrong_signature_and_a_wrong_wheel_are_refused(tmp_path) -> None:
    box = an_updating_box(tmp_path)
    wanted = box.book.wanted()
    box.want(replace(wanted, sig="00" * 64))
    assert box.run() == [AT_REST]
    assert box.book.progress().error == "release.signature"
    good = box.shelf.release(NEW, a_wheel(tmp_path / "wheels", NEW), no=2)
    name = next(name for name, data in box.shelf.objects.items() if data[:2] == b"PK")
    box.shelf.objects[name] += b"more"
    box.want(good)
    assert box.run() == [AT_REST]
    assert box.book.progress().error == "object.hash"
    assert box.versions() == [OLD, OLD]
    assert not (box.releases.folder / NEW).exists()


def test_a_release_that_was_withdrawn_is_not_put_in_place(tmp_path) -> None:
    box = an_updating_box(tmp_path, shop=replace(QUIET_SHOP, open_baskets=1))
    box.start()
    box.want(None)
    box.shop = QUIET_SHOP
    box.start()
    assert (box.state(), box.releases.current()) == (State.IDLE, OLD)
