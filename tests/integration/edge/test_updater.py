"""Real parts of an update: a virtual environment from hand-made wheels, and the last day again."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge.__main__ import main
from edge.identity import save_identity
from edge.journal.store import Journal
from edge.sqlite import connect_reader, connect_writer, migrate
from edge.updater import install, launcher
from edge.updater.download import describe, download
from edge.updater.health import Senses, as_it_is, complaint, journal_complaint
from edge.updater.launcher import PROGRAM, Releases
from edge.updater.notebook import Notebook
from edge.updater.replay import copy_day, differences, replay
from edge.updater.verify import verify
from shared.journal.event import DayClosed, DayOpened
from shared.kernel.errors import CorruptError, RefusedError, UnavailableError
from shared.release.description import Machine, Release, Wheel
from shared.release.state import Progress, State
from tests.fakes.releases import MACHINE, PYTHON, REPLAYED, Shelf, a_program, a_wheel
from tests.integration.edge.boxes import (
    DAY,
    Publisher,
    a_draft,
    a_journal,
    a_sale_draft,
    a_stocked_replica,
    an_identity,
    prepare_data,
)
from tests.integration.edge.running_box import RunningBox, until
from tests.lab.net import free_port
from tests.lab.processes import ChildProcess, Command

ROOT = Path(__file__).resolve().parents[3]
ZONE = ZoneInfo("America/New_York")
NEXT_DAY = "2017-08-08"
OLD, NEW = "1.0.0", "1.1.0"
HERE = Machine(MACHINE, PYTHON, OLD)


@pytest.fixture
def releases(tmp_path) -> Releases:
    made = Releases(tmp_path / "opt")
    made.folder.mkdir(parents=True)
    a_program(made, OLD)
    made.point(OLD)
    return made


@pytest.fixture
def journal(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    save_identity(data, an_identity())
    opened = a_journal(data)
    a_stocked_replica(data / "replica", Publisher(tmp_path / "objects")).close()
    yield opened
    opened.close()


def sell(journal: Journal, biz: str, sales: int) -> int:
    """A business day with some sales; what they came to."""
    journal.append(a_draft(DayOpened(biz), till="", biz=biz))
    due = 0
    for _ in range(sales):
        draft = a_sale_draft(journal, biz=biz)
        due += draft.event.sale.totals.net_minor
        journal.append(draft)
    journal.append(a_draft(DayClosed(biz, {}), till="", biz=biz))
    return due


def test_wheels_become_a_release_of_their_own_without_a_network(releases, tmp_path) -> None:
    """The one test that makes a real virtual environment with a real pip."""
    shelf = Shelf(tmp_path / "fetch")
    wanted = shelf.release(NEW, a_wheel(tmp_path / "wheels", NEW))
    release = describe(wanted, shelf.public_hex, shelf.fetch)
    fetched = download(release, HERE, shelf.fetch, releases.root)
    install.build(releases, release, fetched.wheels)
    assert install.is_whole(releases, NEW)
    program = str(releases.folder / NEW / PROGRAM)
    said = subprocess.run([program], capture_output=True, text=True, check=True)
    assert said.stdout == f"{NEW}\n"
    # What stands is not built again; what was cut off is.
    before = (releases.folder / NEW / PROGRAM).stat().st_ino
    install.build(releases, release, fetched.wheels)
    assert (releases.folder / NEW / PROGRAM).stat().st_ino == before
    # A wheel that is not the one that was described is refused by pip as well.
    other = replace(
        release, version="1.2.0", wheels=(replace(release.wheels[0], sha256="ab" * 32),)
    )
    with pytest.raises(RefusedError, match=r"release\.install"):
        install.build(releases, other, fetched.wheels)
    assert not install.is_whole(releases, "1.2.0")
    install.tidy(releases, (OLD,))
    assert [path.name for path in releases.folder.iterdir()] == [OLD]


def test_only_what_this_machine_needs_is_fetched(releases, tmp_path) -> None:
    shelf, folder = Shelf(tmp_path / "fetch"), tmp_path / "wheels"
    foreign = folder / "orjson-3.10.0-cp311-cp311-linux_riscv64.whl"
    pure = a_wheel(folder, NEW)
    own = folder / f"orjson-3.10.0-cp311-cp311-linux_{MACHINE}.whl"
    for path in (foreign, own):
        path.write_bytes(path.name.encode())
    wanted = shelf.release(NEW, pure, foreign, own)
    release = describe(wanted, shelf.public_hex, shelf.fetch)
    assert set(download(release, HERE, shelf.fetch, releases.root).wheels) == {pure.name, own.name}
    with pytest.raises(RefusedError, match=r"release\.arch"):
        download(release, replace(HERE, arch="s390x"), shelf.fetch, releases.root)


def test_other_software_than_was_asked_for_is_refused(tmp_path) -> None:
    shelf = Shelf(tmp_path / "fetch")
    wanted = shelf.release(NEW, a_wheel(tmp_path / "wheels", NEW))
    with pytest.raises(CorruptError, match=r"release\.other"):
        describe(replace(wanted, version="1.2.0"), shelf.public_hex, shelf.fetch)
    with pytest.raises(CorruptError, match=r"release\.signature"):
        describe(wanted, Shelf(tmp_path).public_hex, shelf.fetch)
    shelf.is_away = True
    with pytest.raises(UnavailableError, match=r"object\.unreachable"):
        describe(wanted, shelf.public_hex, shelf.fetch)


def test_a_disk_without_room_is_told_before_anything_is_fetched(releases, tmp_path) -> None:
    shelf = Shelf(tmp_path / "fetch")
    huge = tuple(Wheel(f"a{n}-1-py3-none-any.whl", "ab" * 32, 10**8) for n in range(300))
    product = Wheel(f"tillbox-{NEW}-py3-none-any.whl", "cd" * 32, 10**8)
    with pytest.raises(UnavailableError, match=r"release\.disk"):
        download(Release(1, NEW, PYTHON, (product, *huge)), HERE, shelf.fetch, releases.root)
    assert shelf.fetched == []


def test_the_last_business_day_is_priced_again_to_what_was_paid(journal, tmp_path) -> None:
    sell(journal, DAY, 3)
    due = sell(journal, NEXT_DAY, 5)
    copies = tmp_path / "copies"
    assert copy_day(tmp_path / "data", copies) == 7
    found = replay(copies, ZONE)
    assert (found.biz, len(found.receipts), found.due_minor) == (NEXT_DAY, 5, due)
    assert found.z["net_minor"] == due
    assert found.z["receipts"] == 5


def test_a_replay_touches_nothing_of_the_shop(journal, tmp_path) -> None:
    sell(journal, DAY, 2)
    data = tmp_path / "data"
    before = {path: _sum(path) for path in data.rglob("*.db")}
    head = journal.head()
    copy_day(data, tmp_path / "copies")
    replay(tmp_path / "copies", ZONE)
    assert {path: _sum(path) for path in data.rglob("*.db")} == before
    assert journal.head() == head


def test_the_command_line_prices_a_day_again(journal, tmp_path, capsys) -> None:
    due = sell(journal, DAY, 2)
    sell(journal, NEXT_DAY, 1)
    data = str(tmp_path / "data")
    assert main(["replay", "--data", data, "--day", DAY]) == 0
    assert capsys.readouterr().out == f"{DAY}: 2 receipts, {due} today, {due} then.\n"
    assert main(["replay", "--data", data, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["biz"] == NEXT_DAY
    assert main(["replay", "--data", data, "--day", "1999-01-01"]) == 0
    assert capsys.readouterr().out == "No sale to price again.\n"


def test_what_only_one_release_knows_is_no_difference() -> None:
    old = {"biz": DAY, "receipts": {"1": [5, 5, 0]}, "z": {"net_minor": 5}}
    assert differences(old, {**old, "z": {"net_minor": 5, "new_total_minor": 9}}) == []
    assert differences(old, {**old, "z": {"net_minor": 6}}) == ["net_minor: 5 is 6"]
    assert differences(old, {**old, "receipts": {}}) == ["1 receipts are 0"]
    assert differences(old, {**old, "receipts": {"1": [5, 5, 1]}}) == ["1: [5, 5, 0] is [5, 5, 1]"]


@pytest.mark.parametrize(
    ("replayed", "run", "code"),
    [
        (REPLAYED, "", None),
        ({**REPLAYED, "receipts": {"1-000001": [1, 1, 0]}}, "", "release.replay"),
        ("nonsense", "", "release.replay_failed"),
    ],
)
def test_a_release_has_to_agree_with_the_one_that_runs(
    replayed: object, run: str, code: str | None, releases, tmp_path
) -> None:
    a_program(releases, NEW, replayed, run)
    (tmp_path / "data").mkdir()
    if code is None:
        verify(releases, NEW, tmp_path / "data", None)
    else:
        with pytest.raises(RefusedError) as refused:
            verify(releases, NEW, tmp_path / "data", None)
        assert refused.value.code == code
    assert not (tmp_path / "data" / "update" / "replay").exists()


def test_a_release_has_to_price_the_worked_baskets(releases, tmp_path) -> None:
    (tmp_path / "data").mkdir()
    a_program(releases, NEW)
    checker = releases.folder / NEW / "bin" / "tillbox-cloud"
    checker.write_text('#!/bin/sh\n[ "$1 $2" = "price check" ] && grep -q right "$3"\n')
    checker.chmod(0o755)
    vectors = tmp_path / "vectors"
    vectors.write_text("right")
    verify(releases, NEW, tmp_path / "data", vectors)
    vectors.write_text("wrong")
    with pytest.raises(RefusedError, match=r"release\.vectors"):
        verify(releases, NEW, tmp_path / "data", vectors)


def test_the_worked_baskets_ask_for_nothing_that_a_box_lacks() -> None:
    """A box has none of the libraries of head office, and prices them all the same."""
    script = (
        "import sys; sys.modules.update(dict.fromkeys("
        "('sqlalchemy', 'boto3', 'alembic', 'psycopg', 'yaml', 'openpyxl')));"
        "from cloud.__main__ import main; sys.exit(main(['price', 'check', sys.argv[1]]))"
    )
    cases = ROOT / "tests/golden/promo_cases.json"
    command = [sys.executable, "-c", script, str(cases)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith(" passed, 0 failed")


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def page():
    server = HTTPServer(("127.0.0.1", 0), _Page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", server.server_address
    server.shutdown()
    thread.join()
    server.server_close()


def test_new_software_is_well_when_page_printers_and_cloud_are_as_before(page) -> None:
    url, address = page
    ready, online = [frozenset({"printer-1"})], [True]
    senses = Senses(lambda *_: None, url, lambda: ready[0], lambda: online[0], address)
    before = as_it_is(senses)
    assert before == {"printers": ["printer-1"], "online": True}
    assert complaint(senses, before, is_first=True) == ""
    ready[0] = frozenset()
    assert complaint(senses, before, is_first=True) == "release.printer"
    assert complaint(senses, before, is_first=False) == ""
    ready[0], online[0] = frozenset({"printer-1"}), False
    assert complaint(senses, before, is_first=True) == "release.offline"
    # Where nobody reaches the broker, the line is down and not the software.
    assert complaint(replace(senses, broker=("127.0.0.1", 1)), before, is_first=True) == ""
    assert complaint(replace(senses, url="http://127.0.0.1:1/"), before, is_first=False) == (
        "release.ui"
    )


def test_a_journal_that_takes_nothing_is_a_complaint() -> None:
    def refuse(*_: str) -> None:
        raise UnavailableError("journal.disk_full")

    senses = Senses(refuse, "", frozenset, lambda: False, ("", 0))
    assert journal_complaint(senses, (OLD, NEW, "update")) == "release.journal"
    kept: list[tuple[str, ...]] = []
    assert (
        journal_complaint(replace(senses, append=lambda *c: kept.append(c)), ("a", "b", "c")) == ""
    )
    assert kept == [("a", "b", "c")]


def test_the_software_before_opens_the_files_of_the_next_one(tmp_path) -> None:
    steps = ("CREATE TABLE a(x) STRICT".replace(" STRICT", ""), "CREATE TABLE b(x)")
    path = tmp_path / "some.db"
    with closing(connect_writer(path, "FULL")) as newer:
        migrate(newer, steps)
    with closing(connect_writer(path, "FULL")) as older:
        migrate(older, steps[:1])
        assert older.execute("PRAGMA user_version").fetchone() == (2,)
    with closing(connect_writer(path, "FULL")) as newest:
        migrate(newest, (*steps, "DROP TABLE a"), floor=3)
    with (
        closing(connect_writer(path, "FULL")) as older,
        pytest.raises(CorruptError, match=r"storage\.newer"),
    ):
        migrate(older, steps)


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_box_that_the_launcher_started_watches_itself(tmp_path) -> None:
    releases = Releases(tmp_path / "opt")
    releases.folder.mkdir(parents=True)
    a_program(releases, OLD)
    a_program(releases, NEW, run=f'exec {sys.executable} -m edge "$@"')
    releases.point(OLD)
    releases.try_out(NEW)
    data, port = tmp_path / "data", free_port()
    prepare_data(data, port=port)
    book = Notebook(data / "update")
    book.put_progress(Progress(State.SWAP, "ab" * 32, NEW, 0, 4))
    command = [sys.executable, launcher.__file__, str(releases.root), "run", "--data", str(data)]
    box = RunningBox(data, port, ChildProcess(Command("box", command, tmp_path / "log"))).start()
    try:
        until(lambda: book.progress().state is State.WATCH)
        until(lambda: "software.changed" in kinds(data))
        assert releases.note().starts == 1
    finally:
        box.stop()
    # It was told to stop: the next start is no crash.
    assert releases.note() == replace(releases.note(), trial=NEW, is_clean=True)


def kinds(data: Path) -> list[str]:
    with closing(connect_reader(data / "journal.db")) as reader:
        return [row[0] for row in reader.execute("SELECT type FROM entry")]
