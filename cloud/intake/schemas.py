"""Shapes of the endpoints of imports."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

PAGE_SIZE_MAX = 500
PAGE_MAX = 100_000
RowKind = Literal["", "new", "changed"]


class ImportUpload(BaseModel):
    """What a table is called, and why it is taken over."""

    name: str = Field(default="", max_length=200)
    reason: str = Field(default="", max_length=200)


class PageFilter(BaseModel):
    """Which page to show, from 1."""

    page: int = Field(default=1, ge=1, le=PAGE_MAX)
    size: int = Field(default=50, ge=1, le=PAGE_SIZE_MAX)


class RowFilter(PageFilter):
    """Which differences to show; `q` occurs in code or name."""

    what: RowKind = ""
    q: str = Field(default="", max_length=100)


class CellError(BaseModel):
    """What is wrong with one cell, or with a whole row when `column` is null."""

    line: int
    column: str | None
    code: str
    params: dict[str, str | int | None]
    detail: str


class ImportJob(BaseModel):
    """One table; state is open, refused, applied or discarded.

    Open: compared, nothing is written yet. `errors` holds the first of `error_count` errors.
    """

    job: int
    kind: str
    name: str
    state: str
    rows: int
    created: int
    changed: int
    unchanged: int
    errors: list[CellError]
    error_count: int
    reason: str
    created_by: str
    created_at_ms: int
    decided_by: str | None
    decided_at_ms: int | None


class ImportJobs(BaseModel):
    """One page of imports, the newest first."""

    jobs: list[ImportJob]
    total: int
    page: int
    size: int


class ImportRow(BaseModel):
    """One row that differs; `cells` is {column: [old, new]}, old null where nothing was."""

    line: int
    is_new: bool
    key: str
    title: str
    cells: dict[str, list[Any]]


class ImportRows(BaseModel):
    """One page of differences by line."""

    rows: list[ImportRow]
    total: int
    page: int
    size: int
