"""What an API's description says of errors: which there can be, each a problem (RFC 9457).

Both sides describe themselves with it, so that a status that nobody declared is a defect which the
tests made from the description find: 500 first of all, but also a 400 or a 406 by a library.
"""

from __future__ import annotations

from typing import Any

MEDIA_TYPE = "application/problem+json"
_SCHEMA = {"$ref": "#/components/schemas/Problem"}
_WHY = {
    "401": "Nobody is signed in, or what was given proves nobody.",
    "403": "They may not, or not from there, or not without somebody's word.",
    "404": "There is no such thing.",
    "409": "It does not fit what is there by now.",
    "413": "The body is larger than the limit.",
    "422": "The request, or a rule of the business, says no.",
    "429": "Too often; `Retry-After` tells when.",
    "503": "Not now; `Retry-After` tells when.",
}
_OF_CHANGES = ("409", "413")
_LEFT_OUT = ("default", "422")


def tell_problems(description: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI description with every error that an operation may answer; it is changed itself.

    There has to be a schema `Problem`.
    """
    parts = description["components"]
    for name in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(name, None)
    parts["responses"] = {
        f"Problem{status}": {"description": why, "content": {MEDIA_TYPE: {"schema": _SCHEMA}}}
        for status, why in _WHY.items()
    }
    for operations in description["paths"].values():
        for method, operation in operations.items():
            _tell(operation["responses"], is_change=method != "get")
    return description


def _tell(responses: dict[str, Any], *, is_change: bool) -> None:
    for status in _LEFT_OUT:
        responses.pop(status, None)
    for status in _WHY:
        if is_change or status not in _OF_CHANGES:
            responses.setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
