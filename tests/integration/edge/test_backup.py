"""Backups of a box: what is sealed comes back whole, and nobody can sell in the box's name."""

from __future__ import annotations

import itertools
import json
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.__main__ import main
from edge.backup import contents, make, nightly
from edge.backup.contents import BoxState
from edge.backup.keys import KnownRecipients
from edge.backup.make import MakeParts, keep_newest, make_backup
from edge.backup.manifest import (
    BoxManifest,
    JournalTold,
    Member,
    manifest_bytes,
    read_manifest,
)
from edge.backup.nightly import OFFICE, STICK, Nightly, NightlyParts, PlaceState
from edge.backup.put_back import put_back
from edge.backup.unpack import Unpacked, unpack
from edge.copy.mirror_file import carbons_of
from edge.copy.verify import heads_of
from edge.identity import SECRET_FILE_MODE, save_identity
from edge.journal.signer import KEY_FILE, load
from edge.journal.store import Journal
from edge.seal_cipher import CIPHER
from edge.settings import BackupSettings, load_settings
from shared.journal.carbon import check_carbon
from shared.journal.life import LifeCause
from shared.kernel.clock import ClockQuality
from shared.kernel.errors import CorruptError, RefusedError, UnavailableError
from shared.wire.backup_keys import BackupKeys, dump_backup_keys, keys_statement
from shared.wire.sealed import Sealed, SealingWriter, by_private, key_text
from tests.integration.edge.boxes import a_clock, a_journal, a_sale_draft, an_identity, open_day

PRIVATE = bytes(range(7, 39))
PUBLIC = CIPHER.public_of(PRIVATE)
HQ = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HQ_PUB = HQ.public_key().public_bytes_raw().hex()
SALES = 8
SAFE = 4
HOUR_MS = 3_600_000
_numbers = itertools.count()


def noise(count: int) -> bytes:
    return next(_numbers).to_bytes(count, "big")


@dataclass
class SettableClock:
    """Says what it is told."""

    at_ms: int

    def now_ms(self) -> int:
        return self.at_ms

    def mono_ms(self) -> int:
        return self.at_ms

    def quality(self) -> ClockQuality:
        return ClockQuality.NTP


@dataclass
class ABox:
    """A box that has sold, its journal open as that of a running one."""

    folder: Path
    journal: Journal
    stick: Path
    clock: SettableClock = field(default_factory=lambda: SettableClock(1_500_000_000_000))

    @property
    def parts(self) -> MakeParts:
        state = BoxState(
            load_settings(self.folder),
            an_identity(hq_pub=HQ_PUB),
            load(self.folder / KEY_FILE),
            "1.2.3",
        )
        return MakeParts(state, heads_of, noise, self.clock.now_ms)

    def back_up(self, scope: str = "full") -> Path:
        return make_backup(self.parts, scope, [PUBLIC], self.stick).path  # type: ignore[arg-type]

    def opened(self, file: Path) -> Unpacked:
        folder = self.folder.parent / f"opened-{next(_numbers)}"
        return unpack(file, by_private(CIPHER, PRIVATE), folder)

    def sell(self, count: int = 1) -> None:
        for _ in range(count):
            self.journal.append(a_sale_draft(self.journal))


@pytest.fixture
def box(tmp_path: Path) -> Iterator[ABox]:
    folder, stick = tmp_path / "box", tmp_path / "stick"
    folder.mkdir()
    stick.mkdir()
    (folder / "edge.toml").write_text('[receipt]\nlogo = "logo.png"\n', encoding="utf-8")
    (folder / "logo.png").write_bytes(b"a picture")
    save_identity(folder, an_identity(hq_pub=HQ_PUB))
    made = ABox(folder, a_journal(folder, hq_pub=HQ_PUB), stick)
    open_day(made.journal)
    made.sell(SALES)
    for mark in (made.journal.mark_acked, made.journal.mark_safe):
        mark(SAFE, made.journal.hash_at(SAFE) or b"")
    yield made
    made.journal.close()


def test_a_full_backup_brings_settings_journal_and_signed_tail(box: ABox) -> None:
    found = box.opened(box.back_up())
    assert (found.folder / "settings" / "logo.png").read_bytes() == b"a picture"
    assert (found.folder / "settings" / "edge.toml").exists()
    head, head_hash = box.journal.head()
    assert heads_of(found.folder / "journal.db") == [(box.journal.stream, head, head_hash.hex())]
    told = found.manifest.journals[0]
    assert (told.head, told.safe, told.tail) == (head, SAFE, head - SAFE)
    carbons = list(carbons_of(found.folder / f"tillbox-{box.journal.stream}.jsonl"))
    assert [each.seq for each in carbons] == list(range(SAFE + 1, head + 1))
    signer = load(box.folder / KEY_FILE)
    for each in carbons:
        check_carbon(each, lambda sig, what: signer.sign(what) == sig)


def test_no_key_and_no_secret_is_in_a_backup(box: ABox) -> None:
    found = box.opened(box.back_up())
    files = [path for path in found.folder.rglob("*") if path.is_file()]
    secrets = [load_bytes(box.folder / KEY_FILE), b"device-secret"]
    assert files
    for path in files:
        assert not any(secret in path.read_bytes() for secret in secrets), path
        assert path.stat().st_mode & 0o777 == SECRET_FILE_MODE


@pytest.mark.parametrize("name", ["identity.json", "journal.key"])
def test_a_setting_that_names_a_secret_brings_none_into_a_backup(box: ABox, name: str) -> None:
    (box.folder / name).touch()
    (box.folder / "edge.toml").write_text(f'[receipt]\nlogo = "{name}"\n', encoding="utf-8")
    found = box.opened(box.back_up())
    assert [path.name for path in (found.folder / "settings").iterdir()] == ["edge.toml"]


def test_a_forged_backup_plants_no_identity_in_a_new_box(
    box: ABox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever knows the public key can seal and sign one: it must not say who a box believes."""
    (box.folder / "edge.toml").write_text('[receipt]\nlogo = "identity.json"\n', encoding="utf-8")
    monkeypatch.setattr(contents, "is_member_name", lambda _: True)
    monkeypatch.setattr(make, "_verify", lambda *_: None)
    file = box.back_up()
    with pytest.raises(CorruptError, match=r"backup\.member"):
        box.opened(file)
    assert not list(box.folder.parent.glob("opened-*"))


@pytest.mark.parametrize("file", ["../journal.db", "/journal.db", "settings/edge.toml", "x"])
def test_a_manifest_names_no_journal_outside_the_backup(file: str) -> None:
    member = Member("settings/edge.toml", 0, "00" * 32)
    told = JournalTold(file, "ab" * 16, 0, "00" * 32, -1, 0)
    made = BoxManifest("d", "1", "S", "full", 1, "1", "00" * 32, (told,), (member,))
    raw = manifest_bytes(made)
    with pytest.raises(CorruptError, match=r"backup\.manifest"):
        read_manifest(raw, b"", lambda *_: True)


@pytest.mark.parametrize(
    "about", [Sealed("box", "../../elsewhere", 1), Sealed("box", "d-" + "a" * 16, 1 << 60)]
)
def test_what_a_file_calls_itself_leads_nowhere_else(
    tmp_path: Path, about: Sealed, capsys: pytest.CaptureFixture[str]
) -> None:
    file, key = tmp_path / "x.tbk", tmp_path / "backup.key"
    key.write_text(key_text(PRIVATE, PUBLIC), encoding="utf-8")
    with file.open("wb") as out:
        SealingWriter(CIPHER, about, [PUBLIC], bytes(64), out.write).close()
    where = ["--key", str(key), "--data", str(tmp_path / "box")]
    assert main(["restore", str(file), *where]) == 1
    assert "no sealed Tillbox backup" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.key", "x.tbk"]


def load_bytes(path: Path) -> bytes:
    return path.read_bytes()


def test_a_tail_backup_has_only_what_head_office_may_lack(box: ABox) -> None:
    file = box.back_up("tail")
    found = box.opened(file)
    assert not (found.folder / "journal.db").exists()
    assert (found.folder / f"tillbox-{box.journal.stream}.jsonl").exists()
    assert file.stat().st_size < box.back_up("full").stat().st_size


def test_a_till_sells_while_its_journal_is_backed_up(box: ABox) -> None:
    stop = threading.Event()

    def sell() -> None:
        while not stop.is_set():
            box.sell()
            stop.wait(0.002)

    thread = threading.Thread(target=sell)
    thread.start()
    try:
        for _ in range(3):
            found = box.opened(box.back_up())
            assert found.manifest.journals[0].head >= SALES
            box.clock.at_ms += 1000
    finally:
        stop.set()
        thread.join()
    assert box.journal.head()[0] > SALES


def test_later_lives_are_in_it_too(box: ABox) -> None:
    assert box.journal.begin_life(LifeCause.CLONE, box.clock.now_ms())
    box.sell(2)
    found = box.opened(box.back_up())
    assert [each.file for each in found.manifest.journals] == ["journal.db", "journal-2.db"]


def test_what_does_not_read_back_gets_no_name(box: ABox, monkeypatch: pytest.MonkeyPatch) -> None:
    real = make.unpack

    def on_a_bad_stick(file: Path, *rest: object) -> Unpacked:
        data = bytearray(file.read_bytes())
        data[-20] ^= 1
        file.write_bytes(data)
        return real(file, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(make, "unpack", on_a_bad_stick)
    with pytest.raises(CorruptError, match=r"backup\.damaged"):
        box.back_up()
    assert list(box.stick.iterdir()) == []
    assert not (box.folder / make.WORK_FOLDER).exists()


def test_a_journal_with_a_flipped_bit_makes_no_backup_that_counts(box: ABox) -> None:
    with closing(sqlite3.connect(box.folder / "journal.db")) as raw:
        raw.execute("DROP TRIGGER entry_is_final")
        raw.execute("UPDATE entry SET body=CAST(replace(body, 'a', 'b') AS BLOB) WHERE seq=3")
        raw.commit()
    with pytest.raises(CorruptError, match=r"journal\.") as raised:
        box.back_up()
    assert raised.value.params["seq"] == 3
    assert list(box.stick.iterdir()) == []


def test_a_member_that_is_not_as_signed_is_refused(
    box: ABox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has the public key alone can seal anything: the signature is what counts."""
    signer = Ed25519PrivateKey.generate()
    forged = replace(box.parts.state, signer=_Forger(box.parts.state.signer.public_hex, signer))
    parts = replace(box.parts, state=forged)
    monkeypatch.setattr(make, "_verify", lambda *_: None)
    file = make_backup(parts, "full", [PUBLIC], box.stick).path
    with pytest.raises(CorruptError, match=r"backup\.signature"):
        box.opened(file)
    assert not list(box.folder.parent.glob("opened-*"))


@dataclass
class _Forger:
    public_hex: str
    key: Ed25519PrivateKey

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message)


def test_the_disk_is_not_filled_by_a_copy_of_the_journal(
    box: ABox, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(box.folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1 << 20))
    with pytest.raises(RefusedError, match=r"backup\.no_room"):
        box.back_up()
    assert not (box.folder / make.WORK_FOLDER).exists()


def test_the_newest_stay_on_the_stick_and_drafts_go(box: ABox) -> None:
    for _ in range(4):
        box.back_up("tail")
        box.clock.at_ms += HOUR_MS
    (box.stick / f"{make.prefix_of(box.parts.state)}x.tbk.draft").touch()
    (box.stick / "tillbox-box-343-d-anotherbox-1.tbk").touch()
    gone = keep_newest(box.parts.state, box.stick, 2)
    assert len(gone) == 3
    assert len(list(box.stick.glob("tillbox-box-343-d-abc*"))) == 2
    assert (box.stick / "tillbox-box-343-d-anotherbox-1.tbk").exists()


def test_backups_of_a_clock_that_was_ahead_do_not_push_out_good_ones(box: ABox) -> None:
    today_ms, ahead_ms = box.clock.at_ms, box.clock.at_ms + 14 * 365 * 24 * HOUR_MS
    box.clock.at_ms = ahead_ms
    wrong = [box.back_up("tail").name]
    box.clock.at_ms += HOUR_MS
    wrong.append(box.back_up("tail").name)
    box.clock.at_ms = today_ms
    good = box.back_up("tail").name
    gone = keep_newest(box.parts.state, box.stick, 2, good)
    assert [path.name for path in gone] == wrong[:1]
    assert {path.name for path in box.stick.iterdir()} == {wrong[1], good}


def test_a_lost_journal_comes_back_and_goes_on_under_a_new_stream(box: ABox) -> None:
    file = box.back_up()
    box.sell(2)  # head office has these, the backup has not
    head = box.journal.head()[0]
    box.journal.mark_acked(head, box.journal.hash_at(head) or b"")
    box.journal.close()
    stream = box.journal.stream
    for path in box.folder.glob("journal.db*"):
        path.unlink()
    done = put_back(box.opened(file), box.folder)
    assert done.is_own
    assert "journal.db" in done.files
    again = Journal(
        box.folder / "journal.db",
        an_identity(hq_pub=HQ_PUB),
        a_clock(),
        load(box.folder / KEY_FILE),
    )
    again.open()
    assert again.cause is LifeCause.RESTORE
    assert again.stream != stream
    assert again.sale_by_receipt("1-000001")
    assert again.day() is not None
    again.append(a_sale_draft(again))
    again.close()


def test_a_journal_that_is_there_is_not_replaced(box: ABox) -> None:
    file = box.back_up()
    box.journal.close()
    before = (box.folder / "journal.db").read_bytes()
    with pytest.raises(RefusedError, match=r"backup\.journal_is_here"):
        put_back(box.opened(file), box.folder)
    assert (box.folder / "journal.db").read_bytes() == before


def test_another_box_gets_the_settings_and_no_journal(box: ABox, tmp_path: Path) -> None:
    found = box.opened(box.back_up())
    new = tmp_path / "new"
    done = put_back(found, new)
    assert (done.is_own, done.files) == (False, ("edge.toml", "logo.png"))
    assert sorted(path.name for path in new.iterdir()) == ["edge.toml", "logo.png"]


# Keys and the nightly turn.


def signed_keys(*keys: bytes, at_ms: int = 5, by: Ed25519PrivateKey = HQ) -> bytes:
    unsigned = BackupKeys(keys, at_ms)
    signed = replace(unsigned, sig=by.sign(keys_statement(unsigned)))
    return json.dumps(dump_backup_keys(signed)).encode()


def test_only_head_office_says_whom_to_seal_for(tmp_path: Path) -> None:
    known = KnownRecipients(tmp_path, HQ_PUB)
    assert known.take(signed_keys(PUBLIC)).keys == (PUBLIC,)
    forged = signed_keys(CIPHER.public_of(bytes(32)), by=Ed25519PrivateKey.generate())
    older = signed_keys(CIPHER.public_of(bytes(32)), at_ms=4)
    for wrong in (forged, older, b"{}", b"[]", b"\xff", b"[" * 5000):
        with pytest.raises(CorruptError, match=r"backup\.keys"):
            known.take(wrong)
    assert KnownRecipients(tmp_path, HQ_PUB).known().keys == (PUBLIC,)


@dataclass
class AnOffice:
    """Head office: takes backups in, unless it is out of reach."""

    is_there: bool = True
    told: list[str] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)

    def keys(self) -> bytes:
        if not self.is_there:
            raise UnavailableError("backup.unreachable", url="x")
        return signed_keys(PUBLIC)

    def put(self, file: Path) -> None:
        self.keys()
        self.taken.append(file.read_bytes())

    def asked(self, stick: str) -> AnOffice:
        self.told.append(stick)
        return self


@pytest.fixture
def night(box: ABox, monkeypatch: pytest.MonkeyPatch) -> Callable[[AnOffice], Nightly]:
    monkeypatch.setattr(nightly, "refuse_bare_mount_point", lambda stick, _: stick.stat())

    def make_it(office: AnOffice) -> Nightly:
        return Nightly(
            NightlyParts(
                make=box.parts,
                settings=BackupSettings(path=str(box.stick), keep=2),
                keys=KnownRecipients(box.folder, HQ_PUB),
                office=office.asked,
                is_day_open=lambda: False,
                clock=box.clock,
                jitter=lambda: 0.5,
            )
        )

    return make_it


def test_each_night_the_stick_and_head_office_get_one(
    box: ABox, night: Callable[[AnOffice], Nightly]
) -> None:
    office = AnOffice()
    one = night(office)
    assert one.look() == [STICK, OFFICE]
    assert one.look() == []
    box.clock.at_ms += nightly.DUE_AFTER_MS
    assert one.look() == [STICK, OFFICE]
    assert len(list(box.stick.iterdir())) == len(office.taken) == 2
    assert night(office).state()[STICK] == PlaceState(box.clock.now_ms())
    assert not (box.folder / nightly.OUT_FOLDER).exists()


def test_a_place_that_fails_is_tried_again_in_an_hour_and_told_to_head_office(
    box: ABox, night: Callable[[AnOffice], Nightly]
) -> None:
    office = AnOffice()
    one = night(office)
    shutil.rmtree(box.stick)
    assert one.look() == [STICK, OFFICE]
    assert one.state()[STICK].error
    assert office.told[-1] == one.state()[STICK].error == "backup.disk"
    assert one.look() == []
    box.stick.mkdir()
    box.clock.at_ms += nightly.RETRY_MS
    assert one.look() == [STICK]
    assert one.state()[STICK].error == ""


def test_a_disk_that_fills_up_meanwhile_is_told_and_not_tried_every_minute(
    box: ABox, night: Callable[[AnOffice], Nightly], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fills_up(_: Path) -> _Full:
        return _Full()

    one = night(AnOffice())
    monkeypatch.setattr(contents, "connect_reader", fills_up)
    one.turn(STICK)
    assert one.state()[STICK].error == "backup.no_room"
    monkeypatch.undo()
    assert STICK not in one.look()


class _Full:
    """A journal whose copy finds no more room."""

    def backup(self, _: sqlite3.Connection) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    def close(self) -> None:
        """Nothing is open."""


def test_without_head_office_the_stick_still_gets_its_backup(
    box: ABox, night: Callable[[AnOffice], Nightly]
) -> None:
    office = AnOffice()
    one = night(office)
    one.look()
    office.is_there = False
    box.clock.at_ms += nightly.DUE_AFTER_MS
    assert one.look() == [STICK, OFFICE]
    assert one.state()[STICK].error == ""
    assert one.state()[OFFICE].error == "backup.unreachable"


def test_a_backup_never_goes_onto_the_boxs_own_card(tmp_path: Path) -> None:
    for stick in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(RefusedError, match=r"backup\.no_stick"):
            nightly.refuse_bare_mount_point(stick, tmp_path)


def test_a_person_backs_up_and_restores_by_command(
    box: ABox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    KnownRecipients(box.folder, HQ_PUB).take(signed_keys(PUBLIC))
    assert main(["backup", "--data", str(box.folder), "--to", str(box.stick)]) == 0
    assert "read back and walked" in capsys.readouterr().out
    (file,) = box.stick.iterdir()
    key = tmp_path / "backup.key"
    key.write_text(key_text(PRIVATE, PUBLIC), encoding="utf-8")
    where = ["--key", str(key), "--data", str(tmp_path / "new")]
    assert main(["restore", str(file), *where, "--put-back"]) == 0
    said = capsys.readouterr().out
    assert "whole, signed by its journal key" in said
    assert "tillbox-edge salvage" in said
    assert main(["restore", str(file), *where]) == 1
    assert "not empty" in capsys.readouterr().err
    key.write_text("00" * 32, encoding="utf-8")
    assert main(["restore", str(file), *where, "--into", str(tmp_path / "x")]) == 1
    assert "does not open this backup" in capsys.readouterr().err
