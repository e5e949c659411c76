"""The code at the foot of a receipt: the beginning of its journal entry's hash, for people to read.

Eighty bits in the alphabet of Crockford's base 32 (crockford.com/base32.html), which has neither
I, L, O nor U: what a customer mistakes for one another is read as what was meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

CODE_BYTES = 10
CODE_CHARS = 16
GROUP_CHARS = 4
SHORT_BYTES = 5
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHAR_BITS = 5
_MEANT = str.maketrans("OILU", "011V")
_FILLERS = re.compile(r"[\s\-–—.]+")
_CODE = re.compile(f"[{_ALPHABET}]{{{CODE_CHARS}}}")
_PLACE = re.compile(r"/r/([^/]+)/([^/]+)/([^/]+)/([^/]+)$")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True, slots=True)
class ReceiptLink:
    """What a receipt's address names; `business_date` is YYYY-MM-DD, `code` as printed."""

    store_id: str
    business_date: str
    receipt_no: str
    code: str


def receipt_code(entry_hash: bytes) -> str:
    """The code of an entry's hash: "ABCD-EFGH-JKMN-PQRS"."""
    return grouped(entry_hash[:CODE_BYTES])


def short_code(digest: bytes) -> str:
    """Two groups, where people only compare two prints: "ABCD-EFGH"."""
    return grouped(digest[:SHORT_BYTES])


def grouped(data: bytes) -> str:
    """Base 32 in groups of four; `data` is a multiple of five bytes."""
    assert len(data) % SHORT_BYTES == 0
    count = len(data) * 8 // _CHAR_BITS
    value = int.from_bytes(data, "big")
    chars = [_ALPHABET[value >> _CHAR_BITS * n & 0x1F] for n in reversed(range(count))]
    return "-".join("".join(chars[at : at + GROUP_CHARS]) for at in range(0, count, GROUP_CHARS))


def parse_receipt_code(text: str) -> str | None:
    """Read a code as a person types it: any case, spaces, O for 0, I or L for 1.

    Gives it as printed; None when the text is none.
    """
    chars = _FILLERS.sub("", text).upper().translate(_MEANT)
    if _CODE.fullmatch(chars) is None:
        return None
    return "-".join(chars[at : at + GROUP_CHARS] for at in range(0, CODE_CHARS, GROUP_CHARS))


def is_code_of(code: str, entry_hash: bytes) -> bool:
    """Whether a code as printed is that of an entry."""
    return code == receipt_code(entry_hash)


def receipt_url(base_url: str, link: ReceiptLink) -> str:
    """The public address of a receipt; `base_url` is that of the chain's head office."""
    parts = (link.store_id, link.business_date, link.receipt_no, link.code)
    return f"{base_url.rstrip('/')}/r/{'/'.join(map(quoted, parts))}"


def quoted(part: str) -> str:
    """One part of an address, percent-encoded (RFC 3986, section 2.1)."""
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in part.encode())


def asking_place(base_url: str) -> str:
    """Where a person types a receipt's numbers in, as people write addresses."""
    return f"{base_url.rstrip('/').removeprefix('https://').removeprefix('http://')}/r"


def parse_receipt_url(url: str) -> ReceiptLink | None:
    """Read a receipt's address; None when it is none."""
    found = _PLACE.search(re.split(r"[?#]", url.strip())[0].rstrip("/"))
    if found is None:
        return None
    store_id, day, receipt_no, code = map(_unquoted, found.groups())
    return receipt_link(store_id, day, receipt_no, code)


def receipt_link(store_id: str, day: str, receipt_no: str, code: str) -> ReceiptLink | None:
    """What four texts name; None when the day is no date, the code none, or a name no text."""
    parsed = parse_receipt_code(code)
    if parsed is None or not is_iso_date(day.strip()):
        return None
    if not (store_id.strip().isprintable() and receipt_no.strip().isprintable()):
        return None
    return ReceiptLink(store_id.strip(), day.strip(), receipt_no.strip().upper(), parsed)


def _unquoted(part: str) -> str:
    plain = _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), part.encode())
    return plain.decode("utf-8", "replace")


def is_iso_date(text: str) -> bool:
    """Whether a text is a date as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
