"""How a command speaks: one line on standard output, at once; errors on standard error."""

from __future__ import annotations

import sys

from cloud.texts import sentence
from shared.kernel.errors import RetailError
from shared.price.document_error import DocumentRefusedError


def say(text: str) -> None:
    """Print a line, also into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say_errors(refused: DocumentRefusedError) -> None:
    """Every error of a document of offers, each with its place, then what became of it."""
    for error in refused.errors:
        line = f" (line {error.params['line']})" if "line" in error.params else ""
        text = sentence(RetailError(error.code, **error.params))
        sys.stderr.write(f"{error.path or '.'}{line}: {text}\n")
    sys.stderr.write(f"tillbox-cloud: {sentence(refused)}\n")
