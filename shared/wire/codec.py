"""Events to canonical data and back, through pydantic, so that the core need not know it."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import orjson
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from shared.journal.entry import EntryHeader, body_fields
from shared.journal.event import KNOWN_EVENTS, Event, UnknownEvent
from shared.kernel.canonical import canonical_bytes, is_composed, refuse_other_types
from shared.kernel.errors import RefusedError
from shared.publication.revision import Record

_ADAPTERS: dict[str, TypeAdapter[Any]] = {kind.type: TypeAdapter(kind) for kind in KNOWN_EVENTS}


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(text)


_DECODER = json.JSONDecoder(parse_float=_refuse_number, parse_constant=_refuse_number)


def event_data(event: Event) -> dict[str, Any]:
    """The event's fields as JSON-able data (the `data` member of a journal entry's body).

    TypeError when a field holds what its type does not allow, such as a float for money.
    """
    if isinstance(event, UnknownEvent):
        return event.data
    adapter = _ADAPTERS[event.type]
    # Defaults are left out: half the bytes, and what is not said keeps its meaning.
    try:
        data: dict[str, Any] = adapter.dump_python(
            event, mode="json", exclude_defaults=True, warnings="error"
        )
    except PydanticSerializationError as error:
        raise TypeError(f"{event.type} holds a value of another type") from error
    return data


def entry_body(header: EntryHeader, event: Event) -> bytes:
    """The bytes of `body_bytes`, made by a faster encoder: each sale waits for them.

    orjson writes the very same bytes for what the canonical form allows (a property test holds
    it to that); what needs composing goes the long way round.
    """
    fields = body_fields(header, event_data(event))
    if isinstance(event, UnknownEvent):
        refuse_other_types(fields)  # a known event's types were checked on the way to data
    return _canonical(fields)


def record_line(record: Record) -> bytes:
    """The bytes of `record_bytes`, made by the faster encoder: a chain has them by the million.

    TypeError as `record_bytes`.
    """
    fields = {"k": str(record.kind), "i": record.key, "b": record.body}
    refuse_other_types(fields)
    return _canonical(fields)


def _canonical(fields: dict[str, Any]) -> bytes:
    try:
        packed = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a number above 64 bits, which the canonical form allows
        return canonical_bytes(fields)
    return packed if is_composed(packed.decode()) else canonical_bytes(fields)


def parse_event(kind: str, data: dict[str, Any]) -> Event:
    """The event of an entry; a kind of newer software becomes `UnknownEvent`.

    Raises RefusedError `wire.event` when a known kind lacks what it needs.
    """
    adapter = _ADAPTERS.get(kind)
    if adapter is None:
        return UnknownEvent(kind, data)
    try:
        event: Event = adapter.validate_python(data)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_url=False)[0]["loc"])
        raise RefusedError("wire.event", kind=kind, field=where) from None
    return event


def parse_body(body: bytes) -> dict[str, Any]:
    """A journal entry's body as data.

    RefusedError `wire.body` when it is no JSON object, or holds a float or text that UTF-8
    cannot say: no body of ours does.
    """
    try:
        raw = _DECODER.decode(body.decode())
        if b"\\ud" in body.lower():
            json.dumps(raw, ensure_ascii=False).encode()  # half a surrogate pair fails here
    except (ValueError, RecursionError):
        raise RefusedError("wire.body") from None
    if not isinstance(raw, dict):
        raise RefusedError("wire.body")
    return raw


def event_schemas() -> dict[str, Any]:
    """JSON schema of each event, committed as a snapshot: a breaking change is a visible diff."""
    return {kind: adapter.json_schema() for kind, adapter in sorted(_ADAPTERS.items())}
