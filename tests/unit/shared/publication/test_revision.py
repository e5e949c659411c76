from __future__ import annotations

import pytest

from shared.kernel.canonical import sha256
from shared.kernel.errors import RefusedError
from shared.publication.revision import (
    DIGEST_MODULUS,
    EMPTY_DIGEST,
    Record,
    RecordKind,
    digest_add,
    digest_hex,
    digest_remove,
    lines_of,
    parse_record,
    record_bytes,
    record_hash,
)

PRICE = Record(RecordKind.PRICE, "6901234567892", {"prices": [[0, 500, None], [9, 600, 550]]})
GONE = Record(RecordKind.STAFF, "cashier-1", None)


def test_a_record_is_one_canonical_line() -> None:
    assert record_bytes(PRICE) == (
        b'{"b":{"prices":[[0,500,null],[9,600,550]]},"i":"6901234567892","k":"price"}'
    )
    assert record_bytes(GONE) == b'{"b":null,"i":"cashier-1","k":"staff"}'
    assert list(lines_of([PRICE, GONE])) == [
        record_bytes(PRICE) + b"\n",
        record_bytes(GONE) + b"\n",
    ]
    assert record_hash(GONE) == sha256(record_bytes(GONE))


@pytest.mark.parametrize("record", [PRICE, GONE, Record(RecordKind.ITEM, "1", {"name": "米"})])
def test_a_record_reads_back(record: Record) -> None:
    assert parse_record(record_bytes(record)) == record


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b'{"k":7,"i":"1","b":null}',
        b'{"k":"item","i":1,"b":null}',
        b'{"k":"item","i":"1","b":[]}',
        b'{"k":"item","i":"1","b":false}',
        b'{"k":["item"],"i":"1","b":null}',
        b'{"k":"item","i":"1"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_record_is_refused(line: bytes) -> None:
    with pytest.raises(RefusedError, match=r"publication\.record") as refused:
        parse_record(line)
    assert len(str(refused.value.params["line"])) <= 80


def test_a_digest_is_a_sum_that_can_be_taken_back() -> None:
    one, two = record_hash(PRICE), record_hash(GONE)
    both = digest_add(digest_add(EMPTY_DIGEST, one), two)
    assert both == (int.from_bytes(one, "big") + int.from_bytes(two, "big")) % DIGEST_MODULUS
    assert digest_remove(digest_remove(both, one), two) == EMPTY_DIGEST
    assert digest_remove(EMPTY_DIGEST, one) == DIGEST_MODULUS - int.from_bytes(one, "big")


def test_a_digest_has_64_digits() -> None:
    assert digest_hex(EMPTY_DIGEST) == "0" * 64
    assert digest_hex(DIGEST_MODULUS - 1) == "f" * 64
