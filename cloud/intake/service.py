"""Commands and questions of imports in two steps: compare, then apply or discard."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from cloud.csv_table import ImportRefusedError
from cloud.db import Database
from cloud.intake import store
from cloud.intake.store import RowQuery, Upload
from cloud.table_import import Author, Importers, difference
from cloud.texts import sentence
from shared.kernel.errors import MissingError, RefusedError, RetailError

DEFAULT_REASON = "import"


def upload(
    database: Database, importers: Importers, brought: Upload, author: Author
) -> dict[str, Any]:
    """Compare a table with what there is; it waits then, or is refused with all its errors."""
    importer = importers[brought.kind]()
    try:
        with database.begin() as connection:
            stream = io.BytesIO(brought.content)
            rows = importer.stage(connection, stream, author.at_ms)
            job = store.add(connection, brought, rows, difference(connection), author)
    except ImportRefusedError as refused:
        with database.begin() as connection:
            job = store.add_refused(connection, brought, refused.rows, refused.count, author)
    return find(database, job)


def apply(
    database: Database, importers: Importers, kind: str, job: int, author: Author
) -> dict[str, Any]:
    """Write what was shown, as drafts: all of it, or nothing.

    Raises MissingError `import.unknown`, RefusedError `import.decided` or `import.outdated` (what
    the table would change is not what was shown any more), ImportRefusedError.
    """
    importer = importers[kind]()
    with database.begin() as connection:
        digest, reason, content = _take_open(connection, kind, job)
        importer.stage(connection, io.BytesIO(content), author.at_ms)
        if difference(connection).digest != digest:
            raise RefusedError("import.outdated")
        why = author.reason or reason or DEFAULT_REASON
        importer.write(connection, replace(author, reason=why))
        store.decide(connection, job, store.APPLIED, author)
    return find(database, job)


def discard(database: Database, kind: str, job: int, author: Author) -> dict[str, Any]:
    """Forget a table that waits. Raises as `apply`."""
    with database.begin() as connection:
        _take_open(connection, kind, job)
        store.decide(connection, job, store.DISCARDED, author)
    return find(database, job)


def find(database: Database, job: int) -> dict[str, Any]:
    """An import with its first errors; MissingError `import.unknown`."""
    with database.begin() as connection:
        found = store.find(connection, job)
    if found is None:
        raise MissingError("import.unknown", job=job)
    return found | {"errors": [each | {"detail": _detail(each)} for each in found["errors"]]}


def page(database: Database, number: int, size: int) -> dict[str, Any]:
    """Imports, the newest first."""
    with database.begin() as connection:
        found, total = store.page(connection, number, size)
    return {"jobs": found, "total": total, "page": number, "size": size}


def rows(database: Database, query: RowQuery) -> dict[str, Any]:
    """One page of the differences that match."""
    with database.begin() as connection:
        found, total = store.rows(connection, query)
    return {"rows": found, "total": total, "page": query.page, "size": query.size}


def cells(database: Database, job: int) -> Iterator[tuple[Any, ...]]:
    """Every cell that differs: line, code, name, column, old, new; read while it is consumed."""
    with database.begin() as connection:
        for row in store.every_row(connection, job):
            for column, (old, new) in row["cells"].items():
                yield row["line"], row["key"], row["title"], column, _plain(old), _plain(new)


def errors(database: Database, job: int) -> list[tuple[Any, ...]]:
    """Every error that is kept: line, column, code, sentence."""
    with database.begin() as connection:
        found = store.errors(connection, job)
    return [(each["line"], each["column"] or "", each["code"], _detail(each)) for each in found]


def _detail(error: dict[str, Any]) -> str:
    return sentence(RetailError(error["code"], **error["params"]))


def _take_open(connection: Connection, kind: str, job: int) -> tuple[str, str, bytes]:
    found = store.take_open(connection, job, kind)
    if found is not None:
        return found
    known = store.find(connection, job)
    if known is None or known["kind"] != kind:
        raise MissingError("import.unknown", job=job)
    raise RefusedError("import.decided", state=known["state"])


def _plain(value: object) -> object:
    if isinstance(value, list):
        return "|".join(map(str, value))
    return "" if value is None else value
