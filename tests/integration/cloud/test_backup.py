"""Backups of the database: sealed, put back to a time, rehearsed and compared."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from cloud.__main__ import main
from cloud.archive.places import objects_of, stash_of
from cloud.archive.stash import FileStash, writing
from cloud.backup import programs, store
from cloud.backup.archive_wal import archive_wal
from cloud.backup.base import bases_of, prune
from cloud.backup.names import Base
from cloud.backup.restore import Target, needed_wal, prepare
from cloud.backup.sealed_files import Vault
from cloud.backup.service import state_of
from cloud.backup_keeper import BackupKeeper, BackupMeters, back_up, key_files, rehearse
from cloud.clock import SystemClock
from cloud.db import Database, incarnation
from cloud.fleet.chain_store import instants
from cloud.ingest.journals import Journals
from cloud.migrations.run import migrate
from cloud.posters import POSTERS
from cloud.recovery.object_drill import objects_without_copy
from cloud.seal_cipher import CIPHER
from cloud.settings import Settings
from cloud.signing import create_hq_key
from shared.kernel.errors import CorruptError, RefusedError
from shared.kernel.ids import DeviceId
from shared.wire.message import Ack
from shared.wire.sealed import key_text, writer_key, writer_text
from tests.fakes.box_stream import BoxStream
from tests.fakes.enrolment import enrol
from tests.lab.cloud_api import SettableClock
from tests.lab.postgres import PostgresServer, binaries, prefix_for_root
from tests.lab.s3 import S3Server

PRIVATE = bytes(range(40, 72))
PUBLIC = CIPHER.public_of(PRIVATE)
PROOFS = ((PUBLIC, writer_key(PRIVATE)),)
ROOT = Path(__file__).resolve().parents[3]
BATCH = 20
CLOCK = SystemClock()


@dataclass
class HeadOffice:
    """A database that archives its log through the product, and boxes that send to it."""

    folder: Path
    server: PostgresServer
    settings: Settings
    database: Database
    boxes: list[BoxStream]

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch"

    def bring(self, box: BoxStream, database: Database | None = None) -> list[Ack]:
        """Bring a whole journal as a box does: from where head office says that it stands."""
        journals = Journals(database or self.database, POSTERS, SettableClock())
        dev, answers = DeviceId(box.dev), []
        head = journals.stand(dev, box.stream_id.hex()).head
        while head < len(box.bodies) - 1:
            last = min(head + BATCH, len(box.bodies) - 1)
            answers.append(journals.take(dev, box.batch(head + 1, last)))
            assert answers[-1].code == "ok"
            head = answers[-1].head
        return answers

    def sell(self, count: int) -> None:
        for box in self.boxes:
            box.append_sales(count)
            self.bring(box)

    def command(self, *arguments: str) -> int:
        return main(["--config", str(self.folder / "cloud.toml"), *arguments])


def digests(database: Database) -> dict[str, str]:
    """What the journal and the books hold, each in one hash."""
    with database.begin() as connection:
        return {
            table: connection.execute(
                text(f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {table} t")  # noqa: S608
            ).scalar_one()
            for table in ("entry", "sale", "posting")
        }


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HeadOffice]:
    if os.environ.get("DATABASE_URL"):
        pytest.skip("needs the log of a PostgreSQL of its own, not that of DATABASE_URL")
    folder = tmp_path_factory.mktemp("office")
    config = folder / "cloud.toml"
    wal = f"cd '{ROOT}' && '{sys.executable}' -m cloud --config '{config}' backup wal $OLDPWD/%p"
    options = ("archive_mode=on", f"archive_command={wal}")
    server = PostgresServer(folder / "server", durable=False, options=options).start()
    url = server.create_database("chain")
    create_hq_key(folder / "hq.key")
    (folder / "backup.key").write_text(key_text(PRIVATE, PUBLIC), encoding="utf-8")
    (folder / "scratch").mkdir()
    settings = Settings(
        database_url=url,
        object_dir=str(folder / "objects"),
        hq_key_file=str(folder / "hq.key"),
        backup_recipients=PUBLIC.hex(),
        backup_writer_keys=writer_text(*PROOFS[0]),
        backup_key_file=str(folder / "backup.key"),
        postgres_bin=str(binaries()),
        postgres_run=" ".join(prefix_for_root()),
    )
    names = ("database_url", "object_dir", "hq_key_file", "backup_recipients", "backup_key_file")
    names += ("backup_writer_keys", "postgres_bin", "postgres_run")
    lines = [f"{name} = {getattr(settings, name)!r}" for name in names]
    config.write_text("\n".join(lines), encoding="utf-8")
    database = Database(url)
    migrate(database)
    boxes = [BoxStream(f"d-{letter * 16}", f"s-{letter}") for letter in "ab"]
    for box in boxes:
        enrol(database, box)
    yield HeadOffice(folder, server, settings, database, boxes)
    database.close()
    server.stop()


def test_a_drill_brings_back_what_was_sold_after_the_backup(
    office: HeadOffice, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: set[int] = set()
    wait = programs._wait_for_socket

    def seen(process: Any, sockets: Path, *more: Any) -> None:
        modes.update(stat.S_IMODE(each.stat().st_mode) for each in (sockets, sockets.parent))
        wait(process, sockets, *more)

    monkeypatch.setattr(programs, "_wait_for_socket", seen)
    office.sell(30)
    name_object(office, objects_of(office.settings).put(b"a catalogue"))
    assert office.command("backup", "run") == 0
    assert "sealed in" in capsys.readouterr().out
    copy = office.folder / "hq.copy"
    assert office.command("backup", "open", "keys/hq.key.tbk", "--out", str(copy)) == 0
    assert copy.read_bytes() == (office.folder / "hq.key").read_bytes()
    office.sell(10)
    assert office.command("drill", "--from", "backup", "--scratch", str(office.scratch)) == 0
    said = capsys.readouterr().out
    assert modes == {0o700}, "whoever reaches the socket of a rehearsal reads all of it"
    assert "The backups alone bring the database back" in said
    assert f"{sum(len(box.bodies) for box in office.boxes)} entries of 2 journals" in said
    assert "1 published objects looked for" in said
    assert list(office.scratch.iterdir()) == []
    state = state_of(office.database, CLOCK.now_ms(), office.settings)
    assert state.verified is not None
    assert state.concerns(CLOCK.now_ms()) == []
    with office.database.begin() as connection:
        assert CLOCK.now_ms() - instants(connection)["restore"] < 60_000  # the alert counts anew
    assert office.command("backup", "status") == 0
    assert office.command("backup", "list") == 0
    assert "base/" in capsys.readouterr().out


def test_the_database_goes_back_to_a_time_and_the_boxes_bring_the_rest(
    office: HeadOffice, capsys: pytest.CaptureFixture[str]
) -> None:
    if not bases_of(vault(office)):
        back_up(office.settings, office.database, CLOCK)
    office.sell(5)
    wait_past_the_second(office)
    then, before = CLOCK.now_ms(), digests(office.database)
    entries = [len(box.bodies) for box in office.boxes]
    time.sleep(0.05)
    office.sell(5)
    with office.database.begin() as connection:
        life = incarnation(connection)
        connection.execute(text("SELECT pg_switch_wal()"))
    after = digests(office.database)
    wait_for_archive(office)
    into = office.folder / "restored"
    when = datetime.fromtimestamp(then / 1000, UTC).isoformat()
    assert office.command("restore", "--to", when, "--into", str(into)) == 0
    assert "journals, the newest batch" in capsys.readouterr().out

    server = PostgresServer(office.folder / "second", durable=False)
    (office.folder / "second").mkdir()
    shutil.move(into, office.folder / "second" / "pg")
    server.start()
    try:
        ready = office.folder / "second" / "pg" / "pg_wal" / "archive_status"
        assert (ready / "00000002.history.ready").exists(), "the next restore counts on from it"
        with closing(Database(server.url("chain"))) as restored:
            assert digests(restored) == before
            with restored.begin() as connection:
                assert incarnation(connection) != life
            for box, count in zip(office.boxes, entries, strict=True):
                assert office.bring(box, restored)[0].head >= count
            assert digests(restored) == after
    finally:
        server.stop()


def wait_past_the_second(office: HeadOffice) -> None:
    """The end of a base backup is told in whole seconds, and no instant before it is promised."""
    end_ms = max(base.end_ms for base in bases_of(vault(office)))
    while CLOCK.now_ms() <= end_ms:
        time.sleep(0.05)


def wait_for_archive(office: HeadOffice) -> None:
    """Until the segment that was switched away from lies in the archive."""
    with office.database.begin() as connection:
        wanted = connection.execute(
            text("SELECT pg_walfile_name(pg_current_wal_lsn() - 1)")
        ).scalar_one()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with office.database.begin() as connection:
            last = store.archiver(connection).last_wal
        if last is not None and last >= wanted:
            return
        time.sleep(0.05)
    pytest.fail("the log was not archived")


def vault(office: HeadOffice) -> Vault:
    return Vault(stash_of(office.settings), PROOFS, CLOCK)


def test_a_backup_that_has_gone_bad_is_found_by_the_next_drill(office: HeadOffice) -> None:
    stash = stash_of(office.settings)
    (base, *_) = bases_of(vault(office)) or (back_up(office.settings, office.database, CLOCK),)
    good = b"".join(stash.chunks(base.name))
    with writing(stash, base.name) as write:
        write(good[:-1] + bytes((good[-1] ^ 1,)))
    with pytest.raises(CorruptError, match=r"backup\.damaged"):
        rehearse(office.settings, office.database, CLOCK, scratch=office.scratch)
    with writing(stash, base.name) as write:
        write(good)
    state = state_of(office.database, CLOCK.now_ms(), office.settings)
    assert state.drill is not None
    assert not state.drill.is_ok
    assert "drill_failed" in state.concerns(CLOCK.now_ms())
    assert list(office.scratch.iterdir()) == []


def test_what_somebody_else_put_into_the_bucket_is_refused_before_a_server_starts(
    office: HeadOffice, tmp_path: Path
) -> None:
    """Who may write there and knows the public key, but not what `backup_writer_keys` says."""
    base = newest_base(office)
    copied = a_copy_of_the_stash(office, tmp_path)
    reader, latest = Vault(copied, (), CLOCK), Target()
    later = replace(base, at_ms=base.at_ms + 60_000, end_ms=base.end_ms + 60_000)

    forger = Vault(copied, ((PUBLIC, writer_key(bytes(32))),), CLOCK)
    put(forger, later.mark, later.name.encode())
    with pytest.raises(CorruptError, match=r"backup\.forged"):
        prepare(reader, PRIVATE, latest, tmp_path / "a")

    rename(copied, base.mark, later.mark)
    with pytest.raises(CorruptError, match=r"backup\.swapped"):
        prepare(reader, PRIVATE, latest, tmp_path / "b")

    put(Vault(copied, PROOFS, CLOCK), later.mark, later.name.encode())  # a genuine mark...
    rename(copied, base.name, later.name)  # ...and an older backup in its place
    with pytest.raises(CorruptError, match=r"backup\.swapped"):
        prepare(reader, PRIVATE, latest, tmp_path / "c")
    for name in (later.mark, later.name):
        copied.delete(name)

    first, *_, last = sorted(each.name for each in needed_wal(reader, base, latest))
    rename(copied, last, first)
    with pytest.raises(CorruptError, match=r"backup\.swapped"):
        prepare(reader, PRIVATE, latest, tmp_path / "d")


def test_a_log_with_a_gap_or_without_its_end_is_no_restore(
    office: HeadOffice, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = newest_base(office)
    copied = a_copy_of_the_stash(office, tmp_path)
    reader = Vault(copied, (), CLOCK)
    pieces = sorted(each.name for each in needed_wal(reader, base, Target()))
    copied.delete(pieces[-2])
    with pytest.raises(CorruptError, match=r"backup\.wal_gap"):
        prepare(reader, PRIVATE, Target(), tmp_path / "gap")
    into = ("--into", str(office.folder / "late"))
    assert office.command("restore", "--seen", "2099-01-01T00:00:00+00:00", *into) == 1
    assert "newer files are missing" in capsys.readouterr().err


def newest_base(office: HeadOffice) -> Base:
    if not bases_of(vault(office)):
        back_up(office.settings, office.database, CLOCK)
    return bases_of(vault(office))[-1]


def a_copy_of_the_stash(office: HeadOffice, folder: Path) -> FileStash:
    """With three pieces of log at least behind the base backup."""
    base = newest_base(office)
    while len(needed_wal(vault(office), base, Target())) < 3:
        office.sell(1)
        with office.database.begin() as connection:
            connection.execute(text("SELECT pg_switch_wal()"))
        wait_for_archive(office)
    source = office.folder / "objects" / "backup"
    shutil.copytree(source, folder / "stash", copy_function=os.link)
    return FileStash(folder / "stash")


def put(vault: Vault, name: str, data: bytes) -> None:
    with vault.sealing(name, name.partition("/")[0]) as (writer, _):
        writer.write(data)


def rename(stash: FileStash, name: str, to: str) -> None:
    """Put a file under another's name too."""
    data = b"".join(stash.chunks(name))
    with writing(stash, to) as write:
        write(data)


def test_an_object_that_the_database_names_and_no_copy_has_is_missed(office: HeadOffice) -> None:
    objects, lost = objects_of(office.settings), "ab" * 32
    copied_ms = CLOCK.now_ms()
    with office.database.begin() as connection:
        before = objects_without_copy(connection, vault(office), objects, copied_ms)[1]
        never = objects_without_copy(connection, vault(office), objects, None)
    assert (before, never[1]) == (set(), set())
    name_object(office, lost)
    with office.database.begin() as connection:
        after = objects_without_copy(connection, vault(office), objects, copied_ms)[1]
        connection.execute(text("DELETE FROM large_piece WHERE sha256 = :lost"), {"lost": lost})
    assert after == {lost}


def name_object(office: HeadOffice, name: str) -> None:
    """As a manifest does."""
    insert = text("INSERT INTO large_piece (sha256, made_at_ms) VALUES (:name, 0)")
    with office.database.begin() as connection:
        connection.execute(insert, {"name": name})


def test_another_servers_log_is_never_written_over(office: HeadOffice, tmp_path: Path) -> None:
    apart = Vault(FileStash(tmp_path / "stash"), PROOFS, CLOCK)
    piece = tmp_path / "000000010000000000000001"
    piece.write_bytes(b"one")
    assert archive_wal(apart, piece, piece.name)
    assert not archive_wal(apart, piece, piece.name)
    piece.write_bytes(b"two")
    with pytest.raises(CorruptError, match=r"backup\.wal_differs"):
        archive_wal(apart, piece, piece.name)
    with pytest.raises(RefusedError, match=r"backup\.wal_name"):
        archive_wal(apart, piece, "../../etc/passwd")


def test_the_keeper_makes_what_is_due_and_only_one_worker_does(office: HeadOffice) -> None:
    settings = replace(office.settings, backup_key_file="", backup_every_h=1)
    clock = SettableClock(CLOCK.now_ms() + 3 * 3_600_000)
    meters = BackupMeters(CollectorRegistry())
    one, other = (BackupKeeper(settings, office.database, clock, meters) for _ in range(2))
    with office.database.try_session_lock(7_461_023):
        assert one.look() == []
    assert one.look() == ["base"]
    assert (one.look(), other.look()) == ([], [])
    clock.at_ms += 2 * 3_600_000
    assert other.look() == ["base"]


def test_what_reaches_too_far_back_is_deleted_with_its_log(
    office: HeadOffice, tmp_path: Path
) -> None:
    clock = SettableClock(CLOCK.now_ms())
    apart = Vault(FileStash(tmp_path / "stash"), PROOFS, clock)
    day = 86_400_000
    for number, begin in enumerate(("1", "2", "3", "4")):
        at_ms = clock.at_ms - (4 - number) * 10 * day
        base = Base(at_ms, at_ms + 1000, f"0000000100000000000000{int(begin):02X}")
        for name in (base.name, base.mark):
            with apart.sealing(name, "base") as (writer, _):
                writer.write(b"x")
        piece = tmp_path / base.begin_wal
        piece.write_bytes(begin.encode())
        archive_wal(apart, piece, piece.name)
    known = [base.name for base in bases_of(apart)]
    planted = Base(clock.at_ms - 90 * day, clock.at_ms - 90 * day + 1000, "0" * 15 + "F" * 9)
    put(apart, planted.mark, b"x")
    assert prune(apart, 15, ()) == 0, "what only the bucket knows of decides nothing"
    assert prune(apart, 15, known) == 2 * 2 + 2
    assert [base.begin_wal[-1] for base in bases_of(apart)] == ["F", "3", "4"]
    assert prune(apart, 15, known) == 0


def test_a_key_is_made_once(office: HeadOffice, capsys: pytest.CaptureFixture[str]) -> None:
    key = office.folder / "new.key"
    assert office.command("backup", "key", "init", "--out", str(key)) == 0
    assert "backup_recipients" in capsys.readouterr().out
    assert office.command("backup", "key", "init", "--out", str(key)) == 1
    assert key.stat().st_mode & 0o777 == 0o600
    assert office.command("backup", "key", "show", str(key)) == 0


def test_a_bare_machine_becomes_head_office_from_a_bucket_and_the_backup_key_alone(
    office: HeadOffice, s3: S3Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Keys, authorities, the whole server and what is published; on the way nothing lies open."""
    office.sell(1)
    before, sold = digests(office.database), sum(len(box.bodies) for box in office.boxes)
    for bucket in ("published", "backups"):
        s3.create_bucket(bucket)
    lost = in_buckets(office, s3, tmp_path / "lost")
    made = run_with(tmp_path / "lost.toml", "ca", "init", "--dns-suffix", "shops.example")
    assert made == 0
    create_hq_key(Path(lost.hq_key_file))
    published = objects_of(lost).put(b"a catalogue")
    run = back_up(lost, office.database, CLOCK)
    there = [path for path in key_files(lost) if path.exists()]
    keys = {path.name: path.read_bytes() for path in there}
    assert {"hq.key", "device-ca.key", "device-ca.pem", "chain-ca.key", "chain-ca.pem"} <= set(keys)
    objects_of(lost).delete(published)
    bucket = stash_of(lost)
    sealed = {each.name: b"".join(bucket.chunks(each.name)) for each in bucket.files("")}
    assert run.name in sealed
    assert not [name for name, data in sealed.items() if b"a catalogue" in data]

    bare = in_buckets(office, s3, tmp_path / "bare")
    command = partial(run_with, tmp_path / "bare.toml")
    key = ("--key", str(office.folder / "backup.key"))
    capsys.readouterr()
    assert command("backup", "keys", *key) == 0
    there = [path for path in key_files(bare) if path.exists()]
    assert {path.name: path.read_bytes() for path in there} == keys
    assert {stat.S_IMODE(path.stat().st_mode) for path in there} == {0o600}
    assert command("restore", "--into", str(tmp_path / "server" / "pg"), *key) == 0
    assert command("backup", "objects", "--back", *key) == 0
    assert b"".join(objects_of(bare).chunks(published)) == b"a catalogue"
    server = PostgresServer(tmp_path / "server", durable=False).start()
    try:
        with closing(Database(server.url("chain"))) as restored:
            assert digests(restored) == before
            assert sum(restored_entries(restored)) == sold
    finally:
        server.stop()


def in_buckets(office: HeadOffice, s3: S3Server, folder: Path) -> Settings:
    """Settings of a machine that has nothing of its own but a folder, and a file that says so."""
    changed = {
        "s3_bucket": "published",
        "backup_bucket": "backups",
        "s3_endpoint": s3.endpoint,
        "s3_access_key": s3.access_key,
        "s3_secret_key": s3.secret_key,
        "hq_key_file": str(folder / "hq.key"),
        "ca_dir": str(folder / "ca"),
        "backup_key_file": "",
    }
    settings = replace(office.settings, **changed)
    named = ("database_url", "backup_recipients", "backup_writer_keys", "postgres_bin")
    lines = [f"{name} = {getattr(settings, name)!r}" for name in (*changed, *named, "postgres_run")]
    folder.with_suffix(".toml").write_text("\n".join(lines), encoding="utf-8")
    return settings


def run_with(config: Path, *arguments: str) -> int:
    return main(["--config", str(config), *arguments])


def restored_entries(database: Database) -> list[int]:
    with database.begin() as connection:
        found = connection.execute(text("SELECT count(*) FROM entry GROUP BY stream_id"))
        return [int(count) for (count,) in found]
