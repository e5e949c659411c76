"""`verify-journal` names the first entry that does not hold, whatever was done to the file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.copy import verify
from edge.copy.verify import verify_journal, verify_lives
from edge.journal.migrations import MIGRATIONS
from edge.sqlite import connect_writer, migrate
from shared.journal.chain import entry_hash, genesis_hash
from shared.journal.life import LifeCause
from shared.kernel.errors import CorruptError
from tests.builders import OPENED_AT_MS
from tests.fakes.box_stream import BoxStream
from tests.fakes.office import a_carbon, lines_of
from tests.integration.edge.boxes import a_journal, a_sale_draft, open_day

SALES = 12


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A journal file with 14 entries."""
    folder = tmp_path_factory.mktemp("journal")
    journal = a_journal(folder)
    open_day(journal)
    for _ in range(SALES):
        journal.append(a_sale_draft(journal))
    journal.close()
    return (folder / "journal.db").read_bytes()


@pytest.fixture
def path(whole: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"
    path.write_bytes(whole)
    return path


def edit(path: Path, *statements: tuple[str, tuple[object, ...]]) -> None:
    """Do to the file what its guards forbid."""
    connection = sqlite3.connect(path)
    for name in ("entry_is_final", "entry_stays"):
        connection.execute(f"DROP TRIGGER {name}")
    for sql, parameters in statements:
        connection.execute(sql, parameters)
    connection.commit()
    connection.close()


def row(path: Path, column: str, seq: int) -> object:
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT body, hash FROM entry WHERE seq=?", (seq,)).fetchone()
    connection.close()
    return dict(zip(("body", "hash"), found, strict=True))[column]


def changed_body(path: Path, seq: int) -> bytes:
    body = row(path, "body", seq)
    assert isinstance(body, bytes)
    return body.replace(b'"net_minor":1000', b'"net_minor":1001')


def test_a_whole_journal_verifies(path: Path) -> None:
    told: list[tuple[int, int]] = []
    found = verify_journal(path, lambda done, total: told.append((done, total)))
    assert (found.entries, found.first, found.head) == (SALES + 2, 0, SALES + 1)
    assert found.hash == bytes(row(path, "hash", SALES + 1)).hex()  # type: ignore[arg-type]
    assert told[-1] == (SALES + 2, SALES + 2)


DAMAGE: dict[str, tuple[str, int, Callable[[Path], tuple[str, tuple[object, ...]]]]] = {
    "a changed sale": (
        "journal.body",
        7,
        lambda path: ("UPDATE entry SET body=? WHERE seq=7", (changed_body(path, 7),)),
    ),
    "a changed hash": (
        "journal.hash",
        7,
        lambda _: ("UPDATE entry SET hash=? WHERE seq=7", (bytes(32),)),
    ),
    "the last entry": (
        "journal.chain",
        SALES + 1,
        lambda _: ("UPDATE entry SET hash=? WHERE seq=13", (bytes(32),)),
    ),
    "a hash of nonsense": (
        "journal.hash",
        7,
        lambda _: ("UPDATE entry SET hash=x'00' WHERE seq=7", ()),
    ),
    "a sale taken out": ("journal.gap", 5, lambda _: ("DELETE FROM entry WHERE seq=5", ())),
    "the beginning taken out": ("journal.gap", 0, lambda _: ("DELETE FROM entry WHERE seq=0", ())),
    "the id of a sale": (
        "journal.columns",
        4,
        lambda _: ("UPDATE entry SET id='015dbb3c-9b00-7000-8000-0000000000ff' WHERE seq=4", ()),
    ),
    "the type of a sale": (
        "journal.columns",
        4,
        lambda _: ("UPDATE entry SET type='basket.voided' WHERE seq=4", ()),
    ),
    "an anchor where nothing was pruned": (
        "journal.anchor",
        3,
        lambda _: ("INSERT INTO anchor VALUES(1, 3, x'" + "00" * 32 + "')", ()),
    ),
    "an anchor behind the end": (
        "journal.anchor",
        90,
        lambda _: ("INSERT INTO anchor VALUES(1, 90, x'" + "00" * 32 + "')", ()),
    ),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_named(what: str, path: Path) -> None:
    code, seq, statement = DAMAGE[what]
    edit(path, statement(path))
    with pytest.raises(CorruptError) as found:
        verify_journal(path)
    assert (found.value.code, found.value.params["seq"]) == (code, seq)


def test_a_rewritten_history_shows_at_its_first_changed_entry(path: Path) -> None:
    """Whoever rewrites the hashes too is caught by what was chained to them."""
    stream = bytes.fromhex(verify_journal(path).stream)
    body = changed_body(path, 7)
    before = row(path, "hash", 6)
    assert isinstance(before, bytes)
    hash_7 = entry_hash(stream, 7, before, body)
    edit(path, ("UPDATE entry SET body=?, hash=? WHERE seq=7", (body, hash_7)))
    with pytest.raises(CorruptError) as found:
        verify_journal(path)
    assert found.value.params["seq"] == 8


def test_a_page_of_noise_is_named(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-3 * 4096 : -2 * 4096] = b"\xff" * 4096
    path.write_bytes(data)
    with pytest.raises(CorruptError) as found:
        verify_journal(path)
    assert found.value.code.startswith("journal.")


def test_a_pruned_journal_begins_at_its_anchor(path: Path) -> None:
    anchor = row(path, "hash", 5)
    edit(
        path,
        ("DELETE FROM entry WHERE seq BETWEEN 1 AND 5", ()),
        ("INSERT INTO anchor VALUES(1, 5, ?)", (anchor,)),
    )
    found = verify_journal(path)
    assert (found.pruned, found.entries, found.head) == (5, SALES + 2 - 5, SALES + 1)
    edit_anchor(path, bytes(32))
    with pytest.raises(CorruptError) as wrong:
        verify_journal(path)
    assert wrong.value.params["seq"] == 6


def edit_anchor(path: Path, anchor: bytes) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE anchor SET hash=?", (anchor,))
    connection.commit()
    connection.close()


def test_every_life_is_walked_and_names_the_one_before(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    open_day(journal)
    for _ in range(3):
        journal.append(a_sale_draft(journal))
    journal.mark_acked(2, journal.hash_at(2) or b"")
    assert journal.begin_life(LifeCause.CLONE, OPENED_AT_MS)
    journal.append(a_sale_draft(journal))
    journal.close()
    first, second = verify_lives(tmp_path / "journal.db")
    assert first.head == 4
    assert second.stream != first.stream
    assert second.path.endswith("journal-2.db")

    edit(tmp_path / "journal.db", ("UPDATE entry SET hash=? WHERE seq=2", (bytes(32),)))
    with pytest.raises(CorruptError):
        verify_lives(tmp_path / "journal.db")


def test_a_life_that_names_another_past_is_found(tmp_path: Path) -> None:
    journal = a_journal(tmp_path / "a")
    open_day(journal)
    journal.append(a_sale_draft(journal))
    journal.mark_acked(2, journal.hash_at(2) or b"")
    assert journal.begin_life(LifeCause.CLONE, OPENED_AT_MS)
    journal.close()
    other = a_journal(tmp_path / "b")
    open_day(other)
    other.append(a_sale_draft(other))
    other.close()
    (tmp_path / "b" / "journal-2.db").write_bytes((tmp_path / "a" / "journal-2.db").read_bytes())
    with pytest.raises(CorruptError) as found:
        verify_lives(tmp_path / "b" / "journal.db")
    assert found.value.code == "journal.previous"


def a_long_journal(path: Path, entries: int) -> list[bytes]:
    """A journal of small entries; their hashes."""
    stream = bytes.fromhex("5eed" * 8)
    writer = connect_writer(path, "NORMAL")
    migrate(writer, MIGRATIONS)
    head, rows = genesis_hash(stream), []
    writer.execute("INSERT INTO stream(stream_id, ordinal, genesis) VALUES(?,1,?)", (stream, head))
    for seq in range(entries):
        body = b'{"id":"e%d","seq":%d,"stream":"%s","type":"drawer.opened"}' % (
            seq,
            seq,
            stream.hex().encode(),
        )
        head = entry_hash(stream, seq, head, body)
        rows.append((seq, f"e{seq}", "drawer.opened", body, head))
    writer.execute("BEGIN")
    writer.executemany("INSERT INTO entry(seq, id, type, body, hash) VALUES(?,?,?,?,?)", rows)
    writer.execute("COMMIT")
    writer.close()
    return [each[4] for each in rows]


def test_a_long_journal_is_walked_by_several_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.db"
    hashes = a_long_journal(path, 2_500)
    monkeypatch.setattr(verify, "STRETCH", 500)
    monkeypatch.setattr(verify, "WORTH_MORE_PROCESSES", 1_000)
    found = verify_journal(path)
    assert (found.entries, found.hash) == (2_500, hashes[-1].hex())
    edit(path, ("UPDATE entry SET hash=? WHERE seq=1499", (bytes(32),)))
    with pytest.raises(CorruptError) as damaged:
        verify_journal(path)
    assert (damaged.value.code, damaged.value.params["seq"]) == ("journal.hash", 1499)


def test_a_gap_at_the_seam_of_two_stretches_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.db"
    a_long_journal(path, 60)
    monkeypatch.setattr(verify, "STRETCH", 20)
    edit(path, ("DELETE FROM entry WHERE seq=39", ()))
    with pytest.raises(CorruptError) as found:
        verify_journal(path)
    assert (found.value.code, found.value.params["seq"]) == ("journal.gap", 39)


def test_the_command_says_it_in_a_sentence_and_as_json(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify-journal", str(path)]) == 0
    assert f"{SALES + 2} entries, chain complete" in capsys.readouterr().out
    assert main(["verify-journal", str(path.parent), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is True
    assert said["journals"][0]["entries"] == SALES + 2

    edit(path, ("DELETE FROM entry WHERE seq=5", ()))
    assert main(["verify-journal", "--data", str(path.parent)]) == 1
    assert "entry 5" in capsys.readouterr().err
    assert main(["verify-journal", str(path), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["ok"], said["error"]["code"], said["error"]["seq"]) == (False, "journal.gap", 5)


def test_the_command_checks_a_mirror_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = BoxStream("d-aaaaaaaaaaaaaaaa", "s1")
    old.append_sales(3)
    path = tmp_path / f"tillbox-{old.stream_id.hex()}.jsonl"
    path.write_bytes(lines_of([a_carbon(old, seq) for seq in range(3)]))
    assert main(["verify-journal", str(tmp_path)]) == 0
    assert main(["verify-journal", str(path)]) == 0
    assert "3 entries, chain complete" in capsys.readouterr().out


def test_a_file_of_older_software_is_read(tmp_path: Path) -> None:
    """A file without the table of anchors is a journal all the same."""
    path = tmp_path / "journal.db"
    a_long_journal(path, 5)
    edit(path, ("DROP TABLE anchor", ()))
    assert verify_journal(path).entries == 5
