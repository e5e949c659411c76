"""SQL of how far changes of people have come.

Reads `release_draft`, `release_store`, `device` and `box_state` beside the room's own tables.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

NAMED_MAX = 20
KEPT_MS = 90 * 86_400_000
"""So long a store that somebody was taken away from is looked at."""
_REACH = text(f"""
    WITH concerned AS (
        SELECT operator_id, unnest(store_ids) AS store_id FROM staff
        UNION
        SELECT subject, jsonb_array_elements_text(before->'store_ids') FROM master_event
        WHERE kind = 'staff' AND before IS NOT NULL AND at_ms > :since_ms),
    told AS (
        SELECT operator_id, concerned.store_id, max(brought.rev) AS rev
        FROM concerned
        JOIN release_draft took ON took.source = 'staff' AND took.key = operator_id
        JOIN release_store brought ON brought.release_id = took.release_id
            AND brought.store_id = concerned.store_id AND brought.state <> 'withdrawn'
        GROUP BY operator_id, concerned.store_id),
    boxes AS (
        SELECT operator_id, told.store_id, coalesce(box.stored_rev >= rev, false) AS is_stored,
            coalesce(box.active_rev >= rev, false) AS is_active
        FROM told JOIN device ON device.store_id = told.store_id AND device.status = 'active'
        LEFT JOIN box_state box ON box.dev = device.dev)
    SELECT staff.operator_id,
        EXISTS (SELECT FROM staff_draft WHERE staff_draft.operator_id = staff.operator_id),
        count(boxes.store_id), count(*) FILTER (WHERE is_stored), count(*) FILTER (WHERE is_active),
        coalesce(
            (array_agg(boxes.store_id ORDER BY length(boxes.store_id), boxes.store_id)
                FILTER (WHERE NOT is_active))[1\\:{NAMED_MAX}],
            CAST(ARRAY[] AS text[]))
    FROM staff LEFT JOIN boxes USING (operator_id) GROUP BY staff.operator_id""")  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Reach:
    """Of the boxes that a person's last changes concern: how many have them, and which have not.

    `is_waiting`: the newest is not published yet. A box where somebody was taken away counts too.
    """

    is_waiting: bool
    boxes: int
    stored: int
    active: int
    behind: tuple[str, ...]
    """Stores whose box does not go by them yet, at most `NAMED_MAX`."""


NOWHERE = Reach(is_waiting=False, boxes=0, stored=0, active=0, behind=())


def reach(connection: Connection, now_ms: int) -> dict[str, Reach]:
    """How far the changes of everybody have come."""
    found = connection.execute(_REACH, {"since_ms": now_ms - KEPT_MS})
    return {
        operator_id: Reach(bool(waits), int(boxes), int(stored), int(active), tuple(behind))
        for operator_id, waits, boxes, stored, active, behind in found
    }
