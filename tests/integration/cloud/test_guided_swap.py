"""`tillbox-edge swap`: a new box in a dead one's place, in one command that may be run again."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from edge.__main__ import main
from edge.backup.cli import nightly_of
from edge.box_swap import OLD_FOLDER, SWAP_FILE, Waiting, wait_until_ready
from edge.copy.verify import heads_of
from edge.identity import load_identity
from edge.journal.signer import KEY_FILE, load
from edge.journal.store import Journal
from edge.sync.enrol import enrol
from shared.kernel.errors import UnavailableError
from shared.wire.sealed import key_text
from tests.integration.cloud.test_box_backups import PRIVATE, PUBLIC
from tests.integration.edge.boxes import DAY, a_clock, a_sale_draft, open_day
from tests.lab.cloud_api import CloudApi
from tests.lab.net import free_port

_stores = itertools.count(881)
SALES = 5
ANSWERS = """
import http.server, json, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"active_revision": 7, "business_date": sys.argv[2]}).encode())
        self.server.is_done = True
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Page)
server.is_done = False
while not server.is_done:
    server.handle_request()
"""


@dataclass
class ADeadBox:
    """A store whose box died: what head office has, its sealed backup, a claim for the next."""

    api: CloudApi
    store: str
    folder: Path
    backup: Path
    key: Path
    token: str
    port: int

    @property
    def new(self) -> Path:
        return self.folder / "new"

    def swap(self, *more: str) -> int:
        """The box's own program is stood in for by one that says what a box says."""
        start = f"'{sys.executable}' '{self.folder / 'box.py'}' {self.port} {DAY}"
        where = ["--data", str(self.new), "--cloud", self.api.url, "--token", self.token]
        return main(["swap", *where, "--start", start, "--wait-s", "60", *more])

    def receipts(self) -> list[str]:
        query = text("SELECT receipt_no FROM sale WHERE store_id = :store ORDER BY receipt_no")
        with self.api.context.database.begin() as connection:
            return [row[0] for row in connection.execute(query, {"store": self.store})]


@pytest.fixture(scope="module")
def api(migrated_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudApi]:
    changed = {"backup_recipients": PUBLIC.hex()}
    running = CloudApi(migrated_url, tmp_path_factory.mktemp("cloud"), changed=changed).start()
    yield running
    running.stop()


@pytest.fixture
def dead(api: CloudApi, tmp_path: Path) -> ADeadBox:
    admin, store, port = api.client(), str(next(_stores)), free_port()
    body = {"name": "Main street", "time_zone": "America/New_York", "currency": "USD"}
    admin.put(f"/v1/stores/{store}", json=body).raise_for_status()
    old = tmp_path / "old"
    token = admin.post("/v1/claims", json={"store_id": store}).json()["token"]
    identity = enrol(old, api.url, token)
    (old / "edge.toml").write_text(f"[box]\nport = {port}\n", encoding="utf-8")
    journal = Journal(old / "journal.db", identity, a_clock(), load(old / KEY_FILE))
    journal.open()
    open_day(journal)
    for _ in range(SALES):
        journal.append(a_sale_draft(journal))
    stick = tmp_path / "stick"
    stick.mkdir()
    made = nightly_of(old, heads_of, lambda: False).make_into(stick, "full")
    journal.close()
    (tmp_path / "box.py").write_text(ANSWERS, encoding="utf-8")
    key = tmp_path / "backup.key"
    key.write_text(key_text(PRIVATE, PUBLIC), encoding="utf-8")
    claim = admin.post("/v1/claims", json={"store_id": store}).json()["token"]
    return ADeadBox(api, store, tmp_path, made.path, key, claim, port)


def test_one_command_puts_a_new_box_into_a_dead_ones_place(
    dead: ADeadBox, capsys: pytest.CaptureFixture[str]
) -> None:
    backup = ["--backup", str(dead.backup), "--key", str(dead.key)]
    (dead.new / OLD_FOLDER / "settings").mkdir(parents=True)  # the power went while it unpacked
    assert dead.swap(*backup) == 0
    said = capsys.readouterr().out
    for words in ("edge.toml", "takes the place of d-", f"the day {DAY} goes on", "5 sales"):
        assert words in said
    old, new = load_identity(dead.folder / "old"), load_identity(dead.new)
    assert (new.cause, new.store_id) == ("swap", old.store_id)
    assert {new.dev, new.secret, new.stream}.isdisjoint({old.dev, old.secret, old.stream})
    assert (dead.new / KEY_FILE).read_bytes() != (dead.folder / "old" / KEY_FILE).read_bytes()
    assert dead.receipts() == [f"1-{number:06d}" for number in range(1, SALES + 1)]

    assert dead.swap(*backup) == 0  # it was broken off behind the enrolment, say
    assert load_identity(dead.new) == new
    assert "nothing is missing" in capsys.readouterr().out


def test_a_box_that_has_traded_takes_nobodys_place(
    dead: ADeadBox, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--data", str(dead.folder / "old"), "--cloud", dead.api.url, "--token", dead.token]
    before = load_identity(dead.folder / "old")
    assert main(["swap", *where]) == 1
    assert "has traded already" in capsys.readouterr().err
    assert load_identity(dead.folder / "old") == before
    assert not (dead.folder / "old" / SWAP_FILE).exists()


def test_a_backup_needs_its_key_and_nothing_is_begun_without(
    dead: ADeadBox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dead.swap("--backup", str(dead.backup)) == 1
    assert "--key" in capsys.readouterr().err
    assert not (dead.new / KEY_FILE).exists()


class AClock:
    def __init__(self) -> None:
        self.ms = 0

    def mono_ms(self) -> int:
        return self.ms

    def pause(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


@pytest.mark.parametrize(
    ("answers", "code"),
    [(None, "swap.not_started"), ({"active_revision": 0}, "swap.no_prices")],
)
def test_what_does_not_come_is_told_after_a_while(
    answers: dict[str, int] | None, code: str
) -> None:
    clock = AClock()
    waiting = Waiting(lambda: answers, "http://box", 60, 300, clock.pause, clock.mono_ms)
    with pytest.raises(UnavailableError) as raised:
        wait_until_ready(waiting)
    assert raised.value.code == code
    assert clock.ms == (60_000 if answers is None else 300_000)
