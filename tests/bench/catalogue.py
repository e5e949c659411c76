"""A made-up catalogue of any size, as HQ would publish it. Only for measuring."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from argon2 import PasswordHasher

from shared.kernel.gtin import Gtin, canonical_gtin, check_digit
from shared.publication.manifest import Manifest, Piece
from shared.publication.revision import (
    EMPTY_DIGEST,
    Record,
    RecordKind,
    digest_add,
    digest_hex,
    record_hash,
)
from shared.wire.objects import encode_object

OPERATOR = "1001"
PIN = "246810"
WORDS = ("可口可乐", "农夫山泉", "乐事薯片", "东北大米", "纯牛奶", "酱油", "洗衣液", "方便面")
ZONE = "bench"
INC = "bench-1"


def gtin_of(number: int) -> Gtin:
    """A valid EAN-13 for each number below a thousand million."""
    body = f"690{number:09d}"
    return canonical_gtin(body + check_digit(body))


def item_records(count: int) -> Iterator[Record]:
    """Items and their prices."""
    for number in range(count):
        gtin = gtin_of(number)
        body = {
            "gtin": gtin,
            "name": f"{WORDS[number % len(WORDS)]} {number} 500g",
            "department": f"部门 {number % 20}",
            "category": f"类别 {number % 200}",
            "brand": f"品牌 {number % 500}",
            "package_size": "500 g",
            "is_weighed": False,
            "plu": None,
        }
        yield Record(RecordKind.ITEM, gtin, body)
        regular = 199 + number % 5000
        prices = [[0, regular, regular - 20 if number % 2 else None]]
        yield Record(RecordKind.PRICE, gtin, {"prices": prices})


def staff_record() -> Record:
    """One manager who can do everything."""
    hashed = PasswordHasher().hash(PIN)
    return Record(
        RecordKind.STAFF, OPERATOR, {"name": "王芳", "role": "manager", "pin_hash": hashed}
    )


@dataclass(frozen=True, slots=True)
class Published:
    """A snapshot as an object file, with its manifest."""

    manifest: Manifest
    piece: Path

    @property
    def pieces(self) -> dict[str, Path]:
        """Object files by their SHA-256."""
        return {self.manifest.snapshot.sha256: self.piece}


def publish(folder: Path, count: int) -> Published:
    """Write a snapshot of `count` items and one manager."""
    records = [*item_records(count), staff_record()]
    digest = EMPTY_DIGEST
    for record in records:
        digest = digest_add(digest, record_hash(record))
    packed = encode_object(records)
    name = hashlib.sha256(packed).hexdigest()
    path = folder / name
    path.write_bytes(packed)
    piece = Piece(0, 1, name, len(packed), len(records))
    return Published(Manifest(ZONE, 1, INC, digest_hex(digest), len(records), (piece,)), path)
