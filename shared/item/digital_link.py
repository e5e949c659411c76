"""GS1 Digital Link: a web address that names an item, of whatever domain.

Read are uncompressed links of GS1's URI syntax: behind any path a key with its qualifiers in
order, further identifiers in the query. A GTIN may be shorter than 14 digits, as the first
releases of the standard had it. Any other web address is refused: it names no item.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.item.element_string import Element, check_data, check_pairings
from shared.item.gs1_ai import Identifier, identifiers
from shared.kernel.errors import RefusedError
from shared.kernel.gtin import GTIN_14, GTIN_LENGTHS

_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")
_AUTHORITY = re.compile(r"[A-Za-z0-9\-._~:\[\]@%!$&'()*+,;=]+")
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")
_BROKEN_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_GTIN = "01"


def is_web_address(text: str) -> bool:
    """Whether a text is meant as a link to the web."""
    return _SCHEME.match(text) is not None


def read_digital_link(text: str) -> tuple[Element, ...]:
    """The elements that a link names, the key first.

    RefusedError `barcode.web_link` when it is no Digital Link, `barcode.ai_unknown` and
    `barcode.link_part` when it is one with a part that must not stand there, and what
    `check_data` and `check_pairings` refuse.
    """
    if not _URI.fullmatch(text) or _BROKEN_PERCENT.search(text):
        raise RefusedError("barcode.web_link")
    address, _, query = text.partition("#")[0].partition("?")
    authority, _, path = address[_SCHEME.match(text).end() :].partition("/")  # type: ignore[union-attr]
    if not _AUTHORITY.fullmatch(authority):
        raise RefusedError("barcode.web_link")
    elements = (*_path_elements(path), *_query_elements(query))
    if len({element.ai for element in elements}) < len(elements):
        raise RefusedError("barcode.ai_twice", ai=_first_twice(elements))
    for element in elements:
        check_data(identifiers()[element.ai], element.data)
    check_pairings(elements)
    return elements


def _path_elements(path: str) -> tuple[Element, ...]:
    """The key, which is the last one that the path holds, and its qualifiers."""
    segments = path.removesuffix("/").split("/")
    for at in range(len(segments) - 2, -1, -2):
        key = identifiers().get(segments[at])
        if key is not None and key.qualifiers is not None:
            pairs = zip(segments[at::2], segments[at + 1 :: 2], strict=True)
            elements = tuple(Element(ai, _decoded(data)) for ai, data in pairs)
            _check_order(key, [element.ai for element in elements[1:]])
            return (_spelled_out(elements[0]), *elements[1:])
    raise RefusedError("barcode.web_link")


def _check_order(key: Identifier, found: list[str]) -> None:
    """Qualifiers may be left out, but keep the order that their key has."""
    for order in key.qualifiers or ():
        kept = iter(order)
        if all(ai in kept for ai in found):
            return
    raise RefusedError("barcode.link_part", part="/".join([key.ai, *found]))


def _query_elements(query: str) -> Iterator[Element]:
    """Identifiers of the query; words are other people's and left alone."""
    for part in re.split("[&;]", query):
        ai, _, data = part.partition("=")
        if not ai.isdigit():
            continue
        identifier = identifiers().get(ai)
        if identifier is None:
            raise RefusedError("barcode.ai_unknown", ai=ai[:4])
        if not identifier.is_link_attribute:
            raise RefusedError("barcode.link_part", part=ai)
        yield Element(ai, _decoded(data.replace("+", " ")))


def _decoded(data: str) -> str:
    """Percent signs resolved, one character for each byte: GS1 data has no others."""
    return _PERCENT.sub(lambda code: chr(int(code[1], 16)), data)


def _spelled_out(key: Element) -> Element:
    if key.ai == _GTIN and key.data.isdigit() and len(key.data) in GTIN_LENGTHS:
        return Element(key.ai, key.data.zfill(GTIN_14))
    return key


def _first_twice(elements: tuple[Element, ...]) -> str:
    names = [element.ai for element in elements]
    return next(ai for ai in names if names.count(ai) > 1)
