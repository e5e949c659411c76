"""As much of JSON Schema 2020-12 as the product's own schemas use; an unknown word is an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
NOTES = {"$schema", "title", "$defs", "properties"}


SIMPLE = {
    "type": lambda value, rule: (
        isinstance(value, TYPES[rule]) and (rule == "boolean" or not isinstance(value, bool))
    ),
    "const": lambda value, rule: value == rule,
    "enum": lambda value, rule: value in rule,
    "minimum": lambda value, rule: value >= rule,
    "maximum": lambda value, rule: value <= rule,
    "minLength": lambda value, rule: len(value) >= rule,
    "maxLength": lambda value, rule: len(value) <= rule,
    "minItems": lambda value, rule: len(value) >= rule,
    "maxItems": lambda value, rule: len(value) <= rule,
    "minProperties": lambda value, rule: len(value) >= rule,
    "required": lambda value, rule: all(word in value for word in rule),
    "pattern": lambda value, rule: re.search(rule, value) is not None,
}


def fits(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    """Whether a value is what the schema describes."""
    words = [word for word in schema if word not in NOTES]
    # The type comes first: the other words only make sense for it.
    words.sort(key=lambda word: word != "type")
    return all(_holds(word, value, schema, root) for word in words)


def _holds(word: str, value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    rule = schema[word]
    if word in SIMPLE:
        return bool(SIMPLE[word](value, rule))
    if word == "$ref":
        return fits(value, root["$defs"][rule.rpartition("/")[2]], root)
    if word == "items":
        return all(fits(each, rule, root) for each in value)
    if word in {"anyOf", "oneOf"}:
        fitting = [fits(value, each, root) for each in rule].count(True)
        return fitting == 1 or (word == "anyOf" and fitting > 1)
    assert word == "additionalProperties", word
    known = schema["properties"]
    return all(name in known and fits(each, known[name], root) for name, each in value.items())
