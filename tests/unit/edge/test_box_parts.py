"""What a box looks at before it may sell."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge.box_parts import newest_at_ms
from edge.identity import save_identity
from edge.journal.store import Journal
from shared.journal.event import DayOpened
from tests.integration.edge.boxes import DAY, a_draft, a_journal, an_identity

SPOILT = [b"", b"{{}", b"\xff\x00", b"[1]", b'{"at": "noon"}', b'{"at": null}', b'{"at": -5}']


@pytest.mark.parametrize("body", SPOILT)
def test_a_newest_entry_that_the_card_has_spoilt_keeps_no_box_from_starting(
    tmp_path: Path, body: bytes
) -> None:
    journal = _journal(tmp_path)
    with closing(sqlite3.connect(journal.path)) as connection:
        connection.execute("DROP TRIGGER entry_is_final")
        connection.execute(
            "UPDATE entry SET body=? WHERE seq=(SELECT max(seq) FROM entry)", (body,)
        )
        connection.commit()
    assert newest_at_ms(journal) == 0
    journal.close()


def test_now_is_no_earlier_than_the_newest_entry(tmp_path: Path) -> None:
    journal = _journal(tmp_path)
    assert newest_at_ms(journal) > 0
    journal.close()


def _journal(folder: Path) -> Journal:
    save_identity(folder, an_identity())
    journal = a_journal(folder)
    journal.append(a_draft(DayOpened(DAY), till="", biz=DAY))
    return journal
