"""A colleague's word is good for one request, for two minutes, and up to a ceiling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from edge.access import Actor, Approver, Asked, authorise, measure_of
from edge.desk.state import Operator
from edge.staff.approvals import APPROVAL_MS, Approvals
from shared.kernel.errors import ForbiddenError, RetailError
from shared.staff.permission import DAY_CLOSE, DRAWER_NO_SALE, SALE_OVERRIDE
from shared.staff.role import BUILT_IN, NOTHING, Measure

MANAGER = Approver("1001", BUILT_IN["manager"])
CASHIER = Actor(1, Operator("1002", "Chen", "cashier", ()), BUILT_IN["cashier"])
ASKED = Asked(1, "1002", "ab" * 32, "key-1")


@dataclass
class Desk:
    """A clock that is set by hand, and what was told to look again."""

    now_ms: int = 0
    numbers: int = 0
    changed: list[int] = field(default_factory=list)

    def number(self) -> str:
        self.numbers += 1
        return f"n{self.numbers}"


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def approvals(desk: Desk) -> Approvals:
    return Approvals(lambda: desk.now_ms, desk.number, desk.changed.append)


def signed(approvals: Approvals) -> str:
    number = approvals.ask(ASKED, DRAWER_NO_SALE, NOTHING)
    approvals.sign(approvals.waiting(1, number), MANAGER, "Lin")
    return number


def test_a_word_is_found_by_the_very_request_and_by_its_repeat(approvals: Approvals) -> None:
    number = signed(approvals)
    vouched = replace(MANAGER, vouched=(DRAWER_NO_SALE, NOTHING))
    assert approvals.find(number, ASKED) == vouched
    assert approvals.find(number, ASKED) == vouched, "the answer may have been lost"


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, key="key-2"),
        replace(ASKED, key=""),
        replace(ASKED, operator="1003"),
        replace(ASKED, request_sha256="cd" * 32),
        replace(ASKED, lane=2),
    ],
)
def test_no_other_request_finds_it(approvals: Approvals, other: Asked) -> None:
    number = signed(approvals)
    approvals.find(number, ASKED)
    assert approvals.find(number, other) is None


def test_nobody_finds_a_word_by_another_number(approvals: Approvals) -> None:
    signed(approvals)
    assert approvals.find("n9", ASKED) is None


def test_it_runs_out(approvals: Approvals, desk: Desk) -> None:
    number = signed(approvals)
    desk.now_ms = APPROVAL_MS
    assert approvals.find(number, ASKED) is None
    assert approvals.shown(1) is None


def test_a_new_request_at_the_lane_takes_the_place_of_the_old(approvals: Approvals) -> None:
    old = approvals.ask(ASKED, DRAWER_NO_SALE, NOTHING)
    new = approvals.ask(replace(ASKED, request_sha256="cd" * 32), SALE_OVERRIDE, Measure(off_bp=1))
    with pytest.raises(RetailError, match=r"approval\.gone"):
        approvals.waiting(1, old)
    assert approvals.waiting(1, new).permission == SALE_OVERRIDE


def test_the_screen_is_told_of_every_change(approvals: Approvals, desk: Desk) -> None:
    number = signed(approvals)
    approvals.drop(1, number)
    approvals.drop(1, number)
    assert desk.changed == [1, 1, 1]


def refused(work: Callable[[], object]) -> ForbiddenError:
    with pytest.raises(ForbiddenError) as error:
        work()
    return error.value


def test_what_a_refusal_tells_is_what_is_asked_for() -> None:
    measure = Measure(off_bp=2500, amount_minor=300)
    error = refused(lambda: authorise(CASHIER, SALE_OVERRIDE, measure))
    assert error.code == "approval.needed"
    assert measure_of(error) == (SALE_OVERRIDE, measure)


def test_an_approver_s_ceiling_counts_again_when_it_is_done() -> None:
    """Between the word and the deed the price may have changed."""
    senior = Approver(
        "1003", replace(BUILT_IN["senior_cashier"], approves=frozenset([SALE_OVERRIDE]))
    )
    actor = replace(CASHIER, approver=senior)
    assert authorise(actor, SALE_OVERRIDE, Measure(off_bp=1000)) == "1003"
    assert refused(lambda: authorise(actor, SALE_OVERRIDE, Measure(off_bp=1001))).code == (
        "approval.needed"
    )


@pytest.mark.parametrize("grown", [Measure(1000, 101), Measure(1001, 100)])
def test_a_word_for_one_piece_is_none_for_the_hundred_that_it_has_become(
    approvals: Approvals, grown: Measure
) -> None:
    """Same request, same bytes; but the line's quantity was raised after the word."""
    seen = Measure(off_bp=1000, amount_minor=100)
    number = approvals.ask(ASKED, SALE_OVERRIDE, seen)
    approvals.sign(approvals.waiting(1, number), MANAGER, "Lin")
    actor = replace(CASHIER, approver=approvals.find(number, ASKED))
    assert authorise(actor, SALE_OVERRIDE, seen) == "1001"
    assert authorise(actor, SALE_OVERRIDE, Measure(900, 90)) == "1001"
    assert refused(lambda: authorise(actor, SALE_OVERRIDE, grown)).code == "approval.needed"


def test_nobody_s_word_opens_what_is_denied() -> None:
    actor = replace(CASHIER, approver=MANAGER)
    assert refused(lambda: authorise(actor, DAY_CLOSE)).code == "permission.missing"


def test_one_s_own_word_is_none() -> None:
    own = replace(CASHIER, approver=Approver("1002", BUILT_IN["manager"]))
    assert refused(lambda: authorise(own, DRAWER_NO_SALE)).code == "approval.needed"
