"""The app whose description says of errors what they are: problems, each status of them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

PROBLEM_TYPE = "application/problem+json"
PROBLEM = "#/components/schemas/Problem"
INVALID, ANY = "422", "default"


class DescribedApp(FastAPI):
    """FastAPI describes errors as it would answer them itself; here they have another form."""

    def openapi(self) -> dict[str, Any]:
        """The description, made once."""
        found = super().openapi()
        for path in found["paths"].values():
            for operation in path.values():
                _tell_errors(operation["responses"])
        for name in ("HTTPValidationError", "ValidationError"):
            found["components"]["schemas"].pop(name, None)
        return found


def _tell_errors(responses: dict[str, Any]) -> None:
    responses.pop(INVALID, None)  # `default` tells it, in the form that it has
    responses[ANY]["content"] = {PROBLEM_TYPE: {"schema": {"$ref": PROBLEM}}}
