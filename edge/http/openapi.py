"""The API's description: `python -m edge.http.openapi` prints it.

A golden test compares it, and the till page's types are made from it.  The description needs the
routes only, so the rooms behind them stay empty; the training pages are no part of it.
"""

from __future__ import annotations

import sys
from dataclasses import fields
from typing import Any, cast

import orjson

from edge.http.app import Rooms, build_app


def description() -> dict[str, Any]:
    """OpenAPI 3.1 as the box would answer it."""
    empty = {field.name: None for field in fields(Rooms)}
    rooms = Rooms(**cast("dict[str, Any]", {**empty, "locale": "en", "extra": ()}))
    return build_app(rooms).openapi()


def main() -> None:
    """Print the description as sorted, indented JSON."""
    data = orjson.dumps(description(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    sys.stdout.buffer.write(data + b"\n")


if __name__ == "__main__":
    main()
