import pytest

from edge.desk.state import Operator
from edge.sale.approval import Approval, approved_by
from shared.kernel.errors import ForbiddenError, RefusedError

NO_SALE = "drawer.no_sale"
CASHIER = Operator("1002", "Chen", "cashier", ("sale.operate",))
MANAGER = Operator("1001", "Lin", "manager", ("sale.operate", NO_SALE))
OTHER = Operator("1003", "Wu", "cashier", ("sale.operate",))
PEOPLE = {("1001", "1234"): MANAGER, ("1003", "9999"): OTHER}


def check(operator: str, pin: str) -> Operator:
    if (operator, pin) not in PEOPLE:
        raise ForbiddenError("session.bad_pin")
    return PEOPLE[operator, pin]


def asked(operator: Operator, approver: str = "", pin: str = "") -> str:
    return approved_by(
        operator=operator, permission=NO_SALE, approval=Approval(approver, pin), check=check
    )


def test_who_may_do_it_alone_needs_nobody_and_no_pin_is_looked_at() -> None:
    assert asked(MANAGER) == ""
    assert asked(MANAGER, "1002", "wrong") == ""


def test_a_colleague_with_the_right_vouches_by_pin() -> None:
    assert asked(CASHIER, "1001", "1234") == "1001"


@pytest.mark.parametrize(
    ("approver", "pin", "family", "code"),
    [
        ("", "", ForbiddenError, "approval.needed"),
        ("1002", "4321", RefusedError, "approval.own"),
        ("1001", "0000", ForbiddenError, "approval.bad_pin"),
        ("1003", "9999", ForbiddenError, "approval.not_allowed"),
    ],
)
def test_nobody_else_can(approver: str, pin: str, family: type[Exception], code: str) -> None:
    with pytest.raises(family, match=code.replace(".", r"\.")):
        asked(CASHIER, approver, pin)
