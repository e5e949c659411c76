"""The app whose description says of errors what they are: problems, each status of them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from shared.wire.problems import tell_problems


class DescribedApp(FastAPI):
    """FastAPI describes errors as it would answer them itself; here they have another form."""

    def openapi(self) -> dict[str, Any]:
        """The description."""
        return tell_problems(super().openapi())
