"""Errors as codes with parameters, in five families by *what to do next*.

The text lives in `shared/i18n/*.json` under `error.<code>`; a test demands one per language.
HTTP status codes are given in the `http` rooms only.
"""

from __future__ import annotations

ErrorParam = str | int | None


class RetailError(Exception):
    """Base of every error that a person or a peer is told about.

    `code` is stable and dotted (`tender.short`); `params` fill its text.
    """

    def __init__(self, code: str, /, **params: ErrorParam) -> None:
        super().__init__(code)
        self.code = code
        self.params: dict[str, ErrorParam] = params

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.code} ({shown})" if shown else self.code


class RefusedError(RetailError):
    """A rule says no: show it and go on."""


class MissingError(RetailError):
    """What was asked for is not there."""


class ForbiddenError(RetailError):
    """This person or box may not do that."""


class UnavailableError(RetailError):
    """A part is away for now: retry with back-off."""


class CorruptError(RetailError):
    """Stored data contradicts itself: stop and call IT."""
