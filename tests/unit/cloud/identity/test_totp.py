"""Codes against the test vectors of RFC 6238, and what a code is good for."""

from __future__ import annotations

import pytest

from cloud.identity.totp import STEP_MS, code_at, enrolment_url, secret_text, step_of

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("at_s", "code"),
    [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ],
)
def test_codes_are_those_of_the_standard(at_s: int, code: str) -> None:
    # The standard prints eight digits; six are their last ones.
    assert code_at(SECRET, at_s // 30) == code[-6:]


def test_a_code_is_taken_one_step_early_or_late_and_no_more() -> None:
    now = 1_000 * STEP_MS
    for step, is_taken in ((998, False), (999, True), (1000, True), (1001, True), (1002, False)):
        found = step_of(SECRET, code_at(SECRET, step), now, after_step=0)
        assert (found == step) is is_taken


def test_a_code_is_good_once() -> None:
    code = code_at(SECRET, 1_000)
    assert step_of(SECRET, code, 1_000 * STEP_MS, after_step=999) == 1_000
    assert step_of(SECRET, code, 1_000 * STEP_MS, after_step=1_000) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "12 34"])
def test_what_is_no_code_is_refused(code: str) -> None:
    assert step_of(SECRET, code, 0, after_step=-9) is None


def test_a_code_may_be_typed_as_the_app_shows_it() -> None:
    code = code_at(SECRET, 1_000)
    assert step_of(SECRET, f" {code[:3]} {code[3:]}", 1_000 * STEP_MS, after_step=0) == 1_000


def test_the_address_for_an_app_names_the_person_and_the_place() -> None:
    url = enrolment_url(SECRET, "alice", "hq.example")
    assert url.startswith("otpauth://totp/Tillbox%3Aalice%40hq.example?secret=")
    assert secret_text(SECRET) in url
