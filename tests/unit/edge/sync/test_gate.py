"""Only head office's own documents, for this box and of these days, are gone by."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud.desired import GOOD_MS, Letter
from edge.replica.store import Replica
from edge.sync.gate import Gate, demand_signatures
from edge.sync.plan import Plan
from edge.trusted_time import TrustedTime
from shared.kernel.errors import RefusedError
from tests.integration.edge.boxes import an_identity
from tests.lab.cloud_api import SettableClock

HQ = Ed25519PrivateKey.from_private_bytes(bytes(32))
IDENTITY = an_identity(hq_pub=HQ.public_key().public_bytes_raw().hex())
DOCUMENT = {"v": 1, "gen": 7, "inc": "a-1", "catalog": None, "at": 1_000}
CLOCK = SettableClock()


@pytest.fixture
def time(tmp_path: Path) -> TrustedTime:
    found = TrustedTime(SettableClock(), tmp_path / "time.json")
    found.open()
    return found


def letter(at_ms: int = CLOCK.at_ms, key: Ed25519PrivateKey = HQ) -> Letter:
    return Letter(key.sign, SettableClock(at_ms))


def refusal(gate: Gate, payload: bytes) -> str:
    with pytest.raises(RefusedError) as problem:
        gate.admit(payload)
    return problem.value.code


def test_a_signed_document_is_admitted_and_from_then_on_no_other(
    tmp_path: Path, time: TrustedTime
) -> None:
    plain, signed = orjson.dumps(DOCUMENT), letter().bytes_of(IDENTITY.dev, DOCUMENT)
    gate = Gate(IDENTITY, time, tmp_path)
    assert gate.admit(plain).gen == 7, "head office may be older than this box"
    assert (gate.admit(signed).gen, gate.admit(signed).dev) == (7, IDENTITY.dev)
    assert refusal(gate, plain) == "desired.unsigned"
    assert refusal(Gate(IDENTITY, time, tmp_path), plain) == "desired.unsigned", "after a restart"


def test_a_box_that_was_told_at_enrolment_never_believes_an_unsigned_document(
    tmp_path: Path, time: TrustedTime
) -> None:
    demand_signatures(tmp_path)
    assert refusal(Gate(IDENTITY, time, tmp_path), orjson.dumps(DOCUMENT)) == "desired.unsigned"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda signed: signed.replace(b'"gen":7', b'"gen":8'), "desired.signature"),
        (lambda signed: signed[:-3] + b'0"}', "desired.signature"),
        (lambda _: letter().bytes_of("d-zzzzzzzzzzzzzzzz", DOCUMENT), "desired.other_box"),
        (
            lambda _: letter(CLOCK.at_ms - 4 * GOOD_MS).bytes_of(IDENTITY.dev, DOCUMENT),
            "desired.expired",
        ),
        (
            lambda _: letter(key=Ed25519PrivateKey.generate()).bytes_of(IDENTITY.dev, DOCUMENT),
            "desired.signature",
        ),
    ],
)
def test_a_broker_can_change_nothing_and_send_nothing_old_or_foreign(
    tmp_path: Path, time: TrustedTime, change: object, code: str
) -> None:
    signed = letter().bytes_of(IDENTITY.dev, DOCUMENT)
    assert refusal(Gate(IDENTITY, time, tmp_path), change(signed)) == code  # type: ignore[operator]


def test_every_bit_of_a_document_counts(time: TrustedTime) -> None:
    signed = letter().bytes_of(IDENTITY.dev, DOCUMENT)
    gate = Gate(IDENTITY, time)
    gate.admit(signed)
    for place in range(len(signed)):
        changed = bytearray(signed)
        changed[place] ^= 1
        assert refusal(gate, bytes(changed)).startswith("desired."), place


def test_what_is_signed_within_fifteen_days_is_the_same_and_good_for_thirty() -> None:
    start = CLOCK.at_ms // GOOD_MS * GOOD_MS
    early, late = letter(start), letter(start + GOOD_MS - 1)
    assert early.bytes_of("d-a", DOCUMENT) == late.bytes_of("d-a", DOCUMENT)
    assert late.until_ms() - (start + GOOD_MS - 1) > 2 * GOOD_MS - 2
    assert letter(start + GOOD_MS).until_ms() == early.until_ms() + GOOD_MS


def test_neither_a_lower_number_nor_an_older_life_of_head_office_is_gone_by(
    tmp_path: Path, time: TrustedTime
) -> None:
    replica = Replica(tmp_path / "replica")
    replica.open()
    plan, gate = Plan("store-17", replica, time), Gate(IDENTITY, time)

    def desire(**changed: object) -> bool:
        document = {**DOCUMENT, **changed}
        return plan.desire(gate.admit(letter().bytes_of(IDENTITY.dev, document)))

    assert desire()
    assert not desire(gen=6), "replayed"
    assert not desire(inc="old", gen=99, at=999), "replayed from before a restore"
    assert desire(inc="a-2", gen=3, at=2_000), "head office was restored"
    again = Plan("store-17", replica, time)
    again.load()
    assert not again.desire(gate.admit(letter().bytes_of(IDENTITY.dev, DOCUMENT)))
    replica.close()
