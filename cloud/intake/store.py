"""SQL of imports: their files, their differences, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, text

from cloud.csv_table import RowError
from cloud.db import like_literal
from cloud.table_import import Author, Difference

OPEN, REFUSED, APPLIED, DISCARDED = "open", "refused", "applied", "discarded"
KEPT_MAX = 50
"""Differences and files of so many imports are kept; of older ones only what became of them."""
ERRORS_SHOWN_MAX = 200
TEXT_LENGTH_MAX = 200

_COLUMNS = """id AS job, kind, name, state, rows, created, changed, unchanged, error_count,
    reason, created_by, created_at_ms, decided_by, decided_at_ms"""
_FIRST_ERRORS = f"""(SELECT coalesce(jsonb_agg(error ORDER BY place), '[]')
    FROM jsonb_array_elements(errors) WITH ORDINALITY listed(error, place)
    WHERE place <= {ERRORS_SHOWN_MAX}) AS errors"""  # noqa: S608 - constants
_ADD = text("""
    INSERT INTO import_job (kind, name, state, rows, created, changed, unchanged, errors,
                            error_count, digest, reason, created_by, created_at_ms)
    VALUES (:kind, :name, :state, :rows, :created, :changed, :unchanged,
            CAST(:errors AS jsonb), :error_count, :digest, :reason, :created_by, :created_at_ms)
    RETURNING id""")
_KEEP_ROWS = text("""
    INSERT INTO import_row (job_id, line, is_new, key, title, cells)
    SELECT :job, line, is_new, key, title, cells FROM import_diff""")
_KEEP_FILE = text("INSERT INTO import_file (job_id, content) VALUES (:job, :content)")
_FIND = text(f"SELECT {_COLUMNS}, {_FIRST_ERRORS} FROM import_job WHERE id = :job")  # noqa: S608 - constants
_LIST = text(f"""
    SELECT {_COLUMNS}, CAST('[]' AS jsonb) AS errors FROM import_job
    ORDER BY id DESC LIMIT :size OFFSET :skip""")  # noqa: S608 - constants
_OPEN = text("""
    SELECT job.digest, job.reason, file.content
    FROM import_job job JOIN import_file file ON file.job_id = job.id
    WHERE job.id = :job AND job.kind = :kind AND job.state = 'open' FOR UPDATE OF job""")
_DECIDE = text("""
    UPDATE import_job SET state = :state, decided_by = :name, decided_at_ms = :at_ms,
                          reason = CASE WHEN :reason = '' THEN reason ELSE :reason END
    WHERE id = :job""")
_OUTDATED = "job_id <= (SELECT id FROM import_job ORDER BY id DESC OFFSET :kept LIMIT 1)"
_MATCHING = """FROM import_row WHERE job_id = :job
    AND (:what = '' OR is_new = (:what = 'new'))
    AND (:pattern = '%%' OR key LIKE :pattern OR title ILIKE :pattern)"""
_COUNT_ROWS = text(f"SELECT count(*) {_MATCHING}")
_ROWS = text(
    f"SELECT line, is_new, key, title, cells {_MATCHING} ORDER BY line LIMIT :size OFFSET :skip"
)
_EVERY_ROW = text("""
    SELECT line, is_new, key, title, cells FROM import_row WHERE job_id = :job ORDER BY line""")
_ERRORS = text("""
    SELECT error FROM import_job, jsonb_array_elements(errors) WITH ORDINALITY listed(error, place)
    WHERE id = :job ORDER BY place""")


@dataclass(frozen=True, slots=True)
class RowQuery:
    """Which differences of an import; `what` is new, changed or "" for all. Pages from 1."""

    job: int
    what: str = ""
    text: str = ""
    page: int = 1
    size: int = 50


@dataclass(frozen=True, slots=True)
class Upload:
    """A table as it was brought."""

    kind: str
    name: str
    content: bytes


def add(
    connection: Connection, upload: Upload, rows: int, found: Difference, author: Author
) -> int:
    """Keep a table with what `import_diff` says of it; returns its number."""
    unchanged = rows - found.created - found.updated
    job = _add(
        connection,
        upload,
        author,
        {
            "state": OPEN, "rows": rows, "created": found.created, "changed": found.updated,
            "unchanged": unchanged, "errors": "[]", "error_count": 0, "digest": found.digest,
        },
    )  # fmt: skip
    connection.execute(_KEEP_ROWS, {"job": job})
    connection.execute(_KEEP_FILE, {"job": job, "content": upload.content})
    return job


def add_refused(
    connection: Connection, upload: Upload, errors: Sequence[RowError], count: int, author: Author
) -> int:
    """Keep what is wrong with a table, not the table; returns its number."""
    listed = orjson.dumps([_storable(asdict(error)) for error in errors]).decode()
    return _add(
        connection,
        upload,
        author,
        {
            "state": REFUSED, "rows": 0, "created": 0, "changed": 0, "unchanged": 0,
            "errors": listed, "error_count": count, "digest": "",
        },
    )  # fmt: skip


def _storable(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The same without NULs, which no JSON in the database can hold; texts are cut."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")[:TEXT_LENGTH_MAX]
    if isinstance(value, dict):
        return {name: _storable(each) for name, each in value.items()}
    return value


def find(connection: Connection, job: int) -> dict[str, Any] | None:
    """An import with its first errors."""
    row = connection.execute(_FIND, {"job": job}).mappings().one_or_none()
    return None if row is None else dict(row)


def page(connection: Connection, number: int, size: int) -> tuple[list[dict[str, Any]], int]:
    """Imports, the newest first, and how many there are."""
    found = connection.execute(_LIST, {"size": size, "skip": (number - 1) * size}).mappings()
    total = connection.execute(text("SELECT count(*) FROM import_job")).scalar_one()
    return [dict(row) for row in found], int(total)


def take_open(connection: Connection, job: int, kind: str) -> tuple[str, str, bytes] | None:
    """Digest, reason and file of an import that waits, locked; None when there is none such."""
    row = connection.execute(_OPEN, {"job": job, "kind": kind}).one_or_none()
    return None if row is None else (row[0], row[1], bytes(row[2]))


def decide(connection: Connection, job: int, state: str, author: Author) -> None:
    """Say what became of an import; its file goes."""
    parameters = asdict(author) | {"job": job, "state": state}
    connection.execute(_DECIDE, parameters)
    connection.execute(text("DELETE FROM import_file WHERE job_id = :job"), {"job": job})


def rows(connection: Connection, query: RowQuery) -> tuple[list[dict[str, Any]], int]:
    """One page of differences by line, and how many match."""
    parameters: Mapping[str, Any] = {
        "job": query.job,
        "what": query.what,
        "pattern": f"%{like_literal(query.text)}%",
        "size": query.size,
        "skip": (query.page - 1) * query.size,
    }
    total = connection.execute(_COUNT_ROWS, parameters).scalar_one()
    found = connection.execute(_ROWS, parameters).mappings()
    return [dict(row) for row in found], int(total)


def every_row(connection: Connection, job: int) -> Iterator[dict[str, Any]]:
    """All differences by line."""
    statement = _EVERY_ROW.execution_options(yield_per=1000)
    for row in connection.execute(statement, {"job": job}).mappings():
        yield dict(row)


def errors(connection: Connection, job: int) -> list[dict[str, Any]]:
    """All errors that are kept, by line."""
    return [error for (error,) in connection.execute(_ERRORS, {"job": job})]


def _add(connection: Connection, upload: Upload, author: Author, parameters: dict[str, Any]) -> int:
    for table in ("import_row", "import_file"):
        statement = text(f"DELETE FROM {table} WHERE {_OUTDATED}")  # noqa: S608 - constants
        connection.execute(statement, {"kept": KEPT_MAX - 1})
    parameters |= {
        "kind": upload.kind,
        "name": upload.name,
        "reason": author.reason,
        "created_by": author.name,
        "created_at_ms": author.at_ms,
    }
    return int(connection.execute(_ADD, parameters).scalar_one())
