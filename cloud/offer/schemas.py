"""Shapes of the offers' endpoints. Documents are canonical offers of `tillbox-offers/1`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

PAGE_SIZE_MAX = 500
PAGE_MAX = 100_000


class OfferFilter(BaseModel):
    """Which offers: `q` in id, name or anything else; of a store; `state` active, draft, ended."""

    q: str = Field(default="", max_length=100)
    store: str = Field(default="", max_length=32)
    state: str = Field(default="", pattern="^(|active|draft|ended)$")
    page: int = Field(default=1, ge=1, le=PAGE_MAX)
    size: int = Field(default=50, ge=1, le=PAGE_SIZE_MAX)


class ImportQuery(BaseModel):
    """How a file is taken over."""

    dry_run: bool = False
    replace: bool = False
    reason: str = Field(default="import", max_length=200)


class OfferRow(BaseModel):
    """An offer's newest version; `stores` null means all.

    `published_version` is what stores have: null before the first publication. `is_draft`
    while the newest version waits for one.
    """

    offer_id: str
    version: int
    state: str
    document: dict[str, Any]
    stores: list[str] | None
    created_by: str
    created_at_ms: int
    reason: str
    is_draft: bool
    published_version: int | None


class OfferPage(BaseModel):
    """One page of offers, active ones first, then by id."""

    offers: list[OfferRow]
    total: int
    page: int
    size: int


class VersionRow(BaseModel):
    """One version of an offer; `published_rev` null while no publication took it."""

    version: int
    state: str
    document: dict[str, Any]
    stores: list[str] | None
    created_by: str
    created_at_ms: int
    reason: str
    published_rev: int | None


class OfferHistory(BaseModel):
    """An offer's versions, the newest first."""

    offer_id: str
    versions: list[VersionRow]


class ChangeRow(BaseModel):
    """One offer that a file creates, changes or ends; `words` of its document that differ."""

    offer_id: str
    kind: str
    version: int
    words: list[str]
    before: dict[str, Any] | None
    after: dict[str, Any]
    stores_before: list[str] | None
    stores: list[str] | None


class FindingRow(BaseModel):
    """Something to look at: `code` is a text under `offer.lint`, `offers` are the culprits."""

    code: str
    severity: str
    offers: list[str]
    params: dict[str, str | int | None]


class OfferImport(BaseModel):
    """What became of a file's offers, or would become of them in a dry run."""

    is_dry: bool
    created: int
    changed: int
    ended: int
    unchanged: int
    changes: list[ChangeRow]
    findings: list[FindingRow]


class EndRequest(BaseModel):
    """Why it ends."""

    reason: str = Field(default="", max_length=200)


class Ended(BaseModel):
    """The offer's last version."""

    offer_id: str
    version: int
