"""Offer documents as files: JSON or YAML, read without losing a cent or a leading zero.

YAML is read as YAML 1.2's core schema: only true, false, null and plain numbers are not text, so
`no` stays a tag, `22:00` a time and `0690...` a barcode. Anchors and tags of its own are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import IO

import yaml

from shared.kernel.errors import RefusedError
from shared.kernel.money import Currency
from shared.price.document import OfferDocument, parse_document
from shared.price.document_error import DocumentRefusedError, shown_as

FILE_BYTES_MAX = 4 << 20
DEPTH_MAX = 40
LINE_WIDTH = 100
TEXT_TAG = "tag:yaml.org,2002:str"
WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})", re.ASCII)
DECIMAL = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan",
    re.ASCII | re.IGNORECASE,
)
PLAIN_WORDS: Mapping[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def read_offers(stream: IO[bytes], currency: Currency | None = None) -> OfferDocument:
    """Read a JSON or YAML file; a first sign of `{` means JSON.

    Raises RefusedError `offer.file.*` when it cannot be read at all, and DocumentRefusedError
    with every error of its content; those of a YAML file have a `line` among their parameters.
    """
    data = stream.read(FILE_BYTES_MAX + 1)
    if len(data) > FILE_BYTES_MAX:
        raise RefusedError("offer.file.too_large", limit_mib=FILE_BYTES_MAX >> 20)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RefusedError(
            "offer.file.encoding", line=data.count(b"\n", 0, error.start) + 1
        ) from None
    if text.lstrip().startswith("{"):
        return parse_document(_json(text), currency)
    raw, lines = _yaml(text)
    try:
        return parse_document(raw, currency)
    except DocumentRefusedError as refused:
        errors = [
            replace(each, params={**each.params, "line": line_of(each.path, lines)})
            for each in refused.errors
        ]
        raise DocumentRefusedError(errors) from None


def yaml_text(document: Mapping[str, object]) -> str:
    """A document as YAML that `read_offers` reads back to the same."""
    text: str = yaml.dump(
        document,
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        default_flow_style=None,
        width=LINE_WIDTH,
    )
    return text


def line_of(path: str, lines: Mapping[str, int]) -> int:
    """The line of a path, or of the nearest place around it that is there."""
    while path and path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines.get(path, 1)


def _json(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_without_twice)
    except json.JSONDecodeError as error:
        raise RefusedError("offer.file.syntax", line=error.lineno, because=error.msg) from None
    except (RecursionError, ValueError):
        # Nested without end, or a number of thousands of digits: nobody means that.
        raise RefusedError("offer.file.syntax", line=1, because="too deep or too long") from None


def _without_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        words = [word for word, _ in pairs]
        twice = next(word for place, word in enumerate(words) if word in words[:place])
        raise RefusedError("offer.file.word_twice", word=shown_as(twice))
    return found


class _Dumper(yaml.SafeDumper):
    """Quotes every text that a reader might take for something else, and uses no anchors."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - every value stands alone
        return True


def _quoted(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    is_word = re.fullmatch(r"[A-Za-z_][A-Za-z_-]*", value) and value.lower() not in PLAIN_WORDS
    return dumper.represent_scalar(TEXT_TAG, value, style=None if is_word else '"')


_Dumper.add_representer(str, _quoted)


def _yaml(text: str) -> tuple[object, dict[str, int]]:
    """The content, and the line of each of its places by path."""
    try:
        reading = _Reading(iter(yaml.parse(text, Loader=yaml.CBaseLoader)))
        raw = reading.document()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RefusedError("offer.file.syntax", line=line, because=str(error.problem)) from None
    except yaml.YAMLError as error:
        because = shown_as(str(error).partition("\n")[0])
        raise RefusedError("offer.file.syntax", line=1, because=because) from None
    return raw, reading.lines


@dataclass(slots=True)
class _Reading:
    """Builds values from YAML's events; by itself, so that depth and aliases are in hand."""

    events: Iterator[yaml.Event]
    lines: dict[str, int] = field(default_factory=dict)

    def document(self) -> object:
        """The only document of the stream; None if there is none."""
        next(self.events)
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return None
        value = self._value(next(self.events), "", 0)
        next(self.events)
        more = next(self.events)
        if not isinstance(more, yaml.StreamEndEvent):
            raise _refused(more, "a second document")
        return value

    def _value(self, event: yaml.Event, path: str, depth: int) -> object:
        self.lines.setdefault(path, _line(event))
        if depth > DEPTH_MAX:
            raise _refused(event, "too deep")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _refused(event, "anchors (&, *) are not read here")
        if getattr(event, "tag", None) not in {None, TEXT_TAG, "!"}:
            raise _refused(event, "tags (!) are not read here")
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(path, depth)
        return self._object(path, depth)

    def _list(self, path: str, depth: int) -> list[object]:
        found: list[object] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            found.append(self._value(event, f"{path}[{len(found)}]", depth + 1))
        return found

    def _object(self, path: str, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _refused(event, "a word must be text")
            word, line = str(event.value), _line(event)
            if word in found:
                raise _refused(event, f"{shown_as(word)} is there twice")
            here = f"{path}.{word}" if path else word
            found[word] = self._value(next(self.events), here, depth + 1)
            self.lines[here] = line
        return found


def _scalar(event: yaml.ScalarEvent) -> object:
    text = str(event.value)
    is_plain = event.implicit[0] and event.style in {None, ""}
    if not is_plain:
        return text
    if text in PLAIN_WORDS:
        return PLAIN_WORDS[text]
    if WHOLE.fullmatch(text):
        return int(text)
    return float(text.replace(".inf", "inf").replace(".nan", "nan")) if _is_decimal(text) else text


def _is_decimal(text: str) -> bool:
    # Digits alone that are no whole number (0690...) are a barcode, which keeps its zeros.
    return DECIMAL.fullmatch(text) is not None and not text.lstrip("+-").isdigit()


def _refused(event: yaml.Event, because: str) -> RefusedError:
    return RefusedError("offer.file.syntax", line=_line(event), because=because)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
