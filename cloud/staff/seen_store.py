"""SQL of what tills told of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

_PUT = text("""
    INSERT INTO staff_seen AS kept (
        store_id, operator_id, last_at_ms, guessed_at_ms, guessed_tries)
    SELECT :store_id, * FROM unnest(
        CAST(:operators AS text[]), CAST(:there AS bigint[]),
        CAST(:guessed AS bigint[]), CAST(:tries AS integer[]))
    ON CONFLICT (store_id, operator_id) DO UPDATE SET
        last_at_ms = greatest(kept.last_at_ms, excluded.last_at_ms),
        guessed_at_ms = greatest(kept.guessed_at_ms, excluded.guessed_at_ms),
        guessed_tries = coalesce(excluded.guessed_tries, kept.guessed_tries)""")
_CHANGES = text("""
    SELECT CAST(entry_id AS text) FROM staff_pin_change
    WHERE store_id = :store_id AND entry_id = ANY(CAST(:ids AS uuid[]))""")
_ADD_CHANGE = text("""
    INSERT INTO staff_pin_change (store_id, entry_id, operator_id, at_ms, is_taken)
    VALUES (:store_id, :entry_id, :operator_id, :at_ms, :is_taken) ON CONFLICT DO NOTHING""")


def put(
    connection: Connection,
    store_id: str,
    there: Mapping[str, int],
    guessed: Mapping[str, tuple[int, int]],
) -> None:
    """Keep when operators were at a till (UTC ms), and when and how often PINs were guessed at."""
    operators = sorted({*there, *guessed})
    if not operators:
        return
    connection.execute(
        _PUT,
        {
            "store_id": store_id,
            "operators": operators,
            "there": [there.get(each) for each in operators],
            "guessed": [guessed[each][0] if each in guessed else None for each in operators],
            "tries": [guessed[each][1] if each in guessed else None for each in operators],
        },
    )


def changes(connection: Connection, store_id: str, ids: Sequence[str]) -> set[str]:
    """Which of these entries' changes of PINs were looked at."""
    found = connection.execute(_CHANGES, {"store_id": store_id, "ids": list(ids)})
    return {str(entry_id) for (entry_id,) in found}


def add_change(
    connection: Connection, store_id: str, entry_id: str, told: tuple[str, int, bool]
) -> None:
    """Note that a change was looked at: of whom, when, and whether it was taken over."""
    operator_id, at_ms, is_taken = told
    parameters = {"operator_id": operator_id, "at_ms": at_ms, "is_taken": is_taken}
    connection.execute(_ADD_CHANGE, {"store_id": store_id, "entry_id": entry_id, **parameters})
