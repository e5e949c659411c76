"""Who was shut out, in a signed file beside the CAs: a restored database does not know it.

A database that goes back to a day before a theft would let the stolen box in again, and knows
nothing of certificates that were given since; this file goes back only with the machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from cloud.pki.folder import KEY_MODE, CaFolder, replace_file
from shared.kernel.canonical import canonical_bytes
from shared.kernel.errors import CorruptError

FILE, DAMAGED = "shut-out.json", "shut-out.damaged.json"
_TAG = b"tbso1"
_log = structlog.get_logger("cloud.pki")
_HASH = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True, slots=True)
class ShutOutBox:
    """A box that was shut out at an instant (UTC ms).

    `certificates` are those that it had: serial in hex, and their ends (UTC ms).
    """

    dev: str
    at_ms: int
    certificates: tuple[tuple[str, int], ...]


def read_list(ca: CaFolder) -> list[ShutOutBox]:
    """Who is kept in the file; none where there is no file.

    CorruptError `ca.shut_out` for one that was damaged or is not ours.
    """
    path = ca.path / FILE
    if not path.exists():
        return []
    try:
        body, _, signature = path.read_bytes().partition(b"\n")
        if not _is_ours(ca, body, bytes.fromhex(signature.decode("ascii").strip())):
            raise CorruptError("ca.shut_out", file=str(path))
        return [
            ShutOutBox(
                str(each["dev"]),
                int(each["at_ms"]),
                tuple((str(serial), int(end_ms)) for serial, end_ms in each["certificates"]),
            )
            for each in json.loads(body)["boxes"]
        ]
    except (ValueError, KeyError, TypeError):
        raise CorruptError("ca.shut_out", file=str(path)) from None


def write_list(ca: CaFolder, boxes: Iterable[ShutOutBox]) -> None:
    """Keep these; the caller holds the folder's lock."""
    rows = [
        {"dev": box.dev, "at_ms": box.at_ms, "certificates": [list(c) for c in box.certificates]}
        for box in sorted(boxes, key=lambda box: box.dev)
    ]
    body = canonical_bytes({"boxes": rows})
    signature = ca.signer("device").key.sign(_TAG + body, _HASH)
    text = f"{body.decode('ascii')}\n{signature.hex()}\n"
    replace_file(ca.path / FILE, text, KEY_MODE)


def known(ca: CaFolder) -> list[ShutOutBox]:
    """Who is in the file; one that is damaged is put aside for whoever looks into it."""
    try:
        return read_list(ca)
    except CorruptError as error:
        _log.error("pki.shut_out_list_damaged", because=str(error))
        with suppress(FileNotFoundError):  # another process was faster
            (ca.path / FILE).replace(ca.path / DAMAGED)
        return []


def _is_ours(ca: CaFolder, body: bytes, signature: bytes) -> bool:
    for each in ca.authorities("device"):
        with suppress(InvalidSignature):
            each.key.public_key().verify(signature, _TAG + body, _HASH)
            return True
    return False
