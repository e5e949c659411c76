"""XML text, written piece by piece so that a document of any length needs no memory."""

from __future__ import annotations

import re
from collections.abc import Mapping

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
# What XML 1.0 cannot hold at all; a name that a scanner garbled must not break the document.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPECIAL = re.compile('[\x00-\x1f&<>"\ud800-\udfff\ufffe\uffff]')
"""Nearly no text has any of these, and a document is mostly texts."""
_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_IN_ATTRIBUTE = _IN_TEXT | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})

Attributes = Mapping[str, str]
NONE: Attributes = {}


def escaped(text: str) -> str:
    """Text for the inside of an element; what XML cannot hold becomes U+FFFD."""
    if _SPECIAL.search(text) is None:
        return text
    return _ILLEGAL.sub("\ufffd", text).translate(_IN_TEXT)


def leaf(name: str, text: str | int, attributes: Attributes = NONE) -> str:
    """An element with text."""
    inside = text if isinstance(text, int) else escaped(text)
    if not attributes:
        return f"<{name}>{inside}</{name}>"
    return f"<{name}{_attributes(attributes)}>{inside}</{name}>"


def leaf_if(name: str, text: str | int, attributes: Attributes = NONE) -> str:
    """An element with text, or nothing where there is no text."""
    return leaf(name, text, attributes) if text != "" else ""


def node(name: str, *content: str, attributes: Attributes = NONE) -> str:
    """An element around elements that are markup already."""
    inside = "".join(content)
    if not inside:
        return f"<{name}{_attributes(attributes)}/>"
    return f"{opening(name, attributes)}{inside}</{name}>"


def opening(name: str, attributes: Attributes = NONE) -> str:
    """The opening tag alone."""
    return f"<{name}{_attributes(attributes)}>"


def _attributes(attributes: Attributes) -> str:
    if not attributes:
        return ""
    return "".join([f' {name}="{_attribute(value)}"' for name, value in attributes.items()])


def _attribute(value: str) -> str:
    if _SPECIAL.search(value) is None:
        return value
    return _ILLEGAL.sub("\ufffd", value).translate(_IN_ATTRIBUTE)
