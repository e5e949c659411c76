"""Everything that is wrong with an offer document, each error with its place in the document."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from shared.kernel.errors import ErrorParam, RefusedError
from shared.kernel.money import Currency

SHOWN_LENGTH_MAX = 60


@dataclass(frozen=True, slots=True)
class DocumentError:
    """One error; `path` is like `offers[2].reward.bp`, empty for the document as a whole."""

    path: str
    code: str
    params: dict[str, ErrorParam]


class DocumentRefusedError(RefusedError):
    """A document was refused; `errors` are all that is wrong with it, in its own order."""

    def __init__(self, errors: Sequence[DocumentError]) -> None:
        super().__init__("offer.document", count=len(errors))
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading stands; what is wrong is noted in `errors`, which all places share.

    `currency` says how many decimals an amount in quotes may have; None allows none at all.
    """

    path: str = ""
    currency: Currency | None = None
    errors: list[DocumentError] = field(default_factory=list)

    def at(self, word: str) -> Place:
        """The place of a word below this one."""
        return Place(f"{self.path}.{word}" if self.path else word, self.currency, self.errors)

    def item(self, number: int) -> Place:
        """The place of a list's item, counted from 0."""
        return Place(f"{self.path}[{number}]", self.currency, self.errors)

    def wrong(self, what: str, **params: ErrorParam) -> object:
        """Note one error here; its text is `error.offer.document.<what>`.

        Returns None, which a shape then gives back as its value.
        """
        self.errors.append(DocumentError(self.path, f"offer.document.{what}", params))
        return None

    def unknown(self, word: str, known: Sequence[str]) -> object:
        """Note a word that does not exist, with the nearest one that does; returns None."""
        shown, possible = shown_as(word), ", ".join(known)
        nearest = get_close_matches(word[:SHOWN_LENGTH_MAX], known, n=1)
        if nearest:
            return self.wrong("misspelt", word=shown, nearest=nearest[0], known=possible)
        return self.wrong("unknown", word=shown, known=possible)

    def raise_if_any(self) -> None:
        """Raise DocumentRefusedError when something was noted, here or elsewhere."""
        if self.errors:
            raise DocumentRefusedError(self.errors)


def shown_as(raw: object) -> str:
    """A value of the document for an error's text: on one line, shortened."""
    text = raw if isinstance(raw, str) else reprlib.repr(raw)
    text = "".join(sign if sign.isprintable() else "?" for sign in text[: SHOWN_LENGTH_MAX + 1])
    return text if len(text) <= SHOWN_LENGTH_MAX else f"{text[:SHOWN_LENGTH_MAX]}…"
