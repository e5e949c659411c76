"""The API's description: `python -m cloud.http.openapi` prints it.

A golden test compares it, and the console's types are made from it.
"""

from __future__ import annotations

import sys
from typing import Any

import orjson

from cloud.http.app import describe


def description() -> dict[str, Any]:
    """OpenAPI 3.1 as the API would answer it."""
    return describe().openapi()


def main() -> None:
    """Print the description as sorted, indented JSON."""
    data = orjson.dumps(description(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    sys.stdout.buffer.write(data + b"\n")


if __name__ == "__main__":
    main()
