"""Software from a folder of wheels to the stores: waves, halts, and who may do what."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from cloud.__main__ import main
from cloud.db import Database
from cloud.signing import is_signed_by
from cloud.software import service, store
from cloud.software.bundle import About, bundle_of
from cloud.software.service import Doer, Publish
from shared.kernel.errors import RefusedError
from shared.release.description import parse_release, signing_statement
from shared.wire.message import SoftwareReport
from tests.fakes.box_stream import BoxStream
from tests.fakes.releases import a_wheel
from tests.lab.cloud_api import CloudApi

HOUR = 3_600_000
NOW = 1_800_000_000_000
BY = Doer("bob", NOW, "why")


@pytest.fixture(autouse=True)
def _clean(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text("TRUNCATE software CASCADE"))
        connection.execute(text("TRUNCATE software_state"))
        connection.execute(text("UPDATE device SET status = 'revoked'"))


@pytest.fixture
def boxes(new_box: Callable[[], BoxStream]) -> list[BoxStream]:
    return [new_box() for _ in range(8)]


@pytest.fixture
def run(api: CloudApi, monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    """The command line of the same head office."""
    monkeypatch.setenv("TILLBOX_CLOUD_DATABASE_URL", api.database_url)
    monkeypatch.setenv("TILLBOX_CLOUD_HQ_KEY_FILE", str(api.folder / "hq.key"))
    monkeypatch.setenv("TILLBOX_CLOUD_OBJECT_DIR", str(api.folder / "objects"))

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["software", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def added(run, tmp_path) -> Path:
    """Version 1.1.0, taken in from a folder."""
    folder = tmp_path / "wheels"
    a_wheel(folder, "1.1.0")
    (folder / "vectors.json").write_text("{}")
    assert run("add", str(folder), "--notes", "faster")[0] == 0
    return folder


def told(database: Database, dev: str) -> dict[str, str] | None:
    with database.begin() as connection:
        statement = text("SELECT software FROM desired WHERE dev = :dev")
        return connection.execute(statement, {"dev": dev}).scalar_one_or_none()


def reach(database: Database) -> int:
    with database.begin() as connection:
        statement = text(
            "SELECT count(*) FROM desired JOIN device USING (dev)"
            " WHERE desired.software IS NOT NULL AND status = 'active'"
        )
        return int(connection.execute(statement).scalar_one())


def turn(database: Database, at_ms: int) -> str:
    with database.begin() as connection:
        move = service.turn(connection, at_ms)
    return "nothing" if move is None else move.what


def report(database: Database, dev: str, at_ms: int, **changed: object) -> None:
    fields = {"running": "1.0.0", "wanted": "1.1.0", "state": "idle", "since": at_ms}
    fields |= {"trusted": "1.0.0"} | changed
    with database.begin() as connection:
        store.save_reports(connection, [(dev, SoftwareReport(**fields), at_ms)])


def well(database: Database, boxes: list[BoxStream], at_ms: int) -> int:
    """Every box that was told runs it and trusts it."""
    reached = [box for box in boxes if told(database, box.dev)]
    for box in reached:
        report(database, box.dev, at_ms, running="1.1.0", trusted="1.1.0")
    return len(reached)


def publish(api: CloudApi, database: Database, **changed: object) -> int:
    fields = {"version": "1.1.0", "waves": "25%,100%", "soak_s": 60, "hours": "02:00-05:00"}
    command = Publish(**fields | changed)
    return service.publish(database, api.context.objects, api.context.hq_key, command, BY)


def test_a_release_is_signed_and_names_every_wheel(
    api: CloudApi, database: Database, boxes: list[BoxStream], added: Path
) -> None:
    publish(api, database)
    assert turn(database, NOW) == "wave"
    wanted = next(found for box in boxes if (found := told(database, box.dev)))
    data = b"".join(api.context.objects.chunks(wanted["sha256"]))
    release = parse_release(data)
    wheel = added / release.wheels[0].name
    assert release.wheels[0].sha256 == hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert api.context.objects.size(release.wheels[0].sha256) == wheel.stat().st_size
    assert api.context.objects.size(release.vectors) == 2
    assert (wanted["version"], wanted["window"]) == ("1.1.0", "02:00-05:00")
    statement = signing_statement(hashlib.sha256(data).digest())
    key = bytes.fromhex(api.context.hq_key.public_hex)
    assert is_signed_by(key, bytes.fromhex(wanted["sig"]), statement)


def test_waves_begin_one_after_the_other_when_the_one_before_has_soaked(
    api: CloudApi, database: Database, boxes: list[BoxStream], added: Path
) -> None:
    publish(api, database)
    assert reach(database) == 0
    assert turn(database, NOW) == "wave"
    assert reach(database) == 3
    assert turn(database, NOW + 1) == "wait"
    assert well(database, boxes, NOW + 2) == 3
    assert turn(database, NOW + 1000) == "wait"
    assert turn(database, NOW + 60_999) == "wait"
    assert turn(database, NOW + 61_000) == "wave"
    assert reach(database) == 8
    well(database, boxes, NOW + 61_001)
    assert turn(database, NOW + 61_002) == "finish"
    assert turn(database, NOW + 61_003) == "nothing"


def test_one_canary_that_goes_back_halts_the_rollout_and_spares_the_others(
    api: CloudApi, database: Database, boxes: list[BoxStream], added: Path, admin: httpx.Client
) -> None:
    made = publish(api, database)
    turn(database, NOW)
    first, second, third = [box for box in boxes if told(database, box.dev)]
    report(database, first.dev, NOW + 5, state="failed", error="release.crashed", since=NOW + 4)
    report(database, second.dev, NOW + 5, state="install")
    report(database, third.dev, NOW + 5, running="1.1.0", state="watch")
    assert turn(database, NOW + 6) == "halt"
    assert told(database, first.dev) is None
    assert told(database, second.dev) is None
    assert told(database, third.dev) is not None
    assert reach(database) == 1
    page = admin.get("/v1/software/boxes", params={"state": "failed"}).json()
    assert [(row["dev"], row["error"]) for row in page["boxes"]] == [(first.dev, "release.crashed")]
    assert turn(database, NOW + 7 * HOUR) == "nothing"
    newest = admin.get(f"/v1/software/rollouts/{made}/events").json()["events"][0]
    assert (newest["what"], newest["by"]) == ("halt", "automatic")
    assert newest["evidence"] == [[first.store_id, "release.crashed"]]


def test_a_person_may_let_a_halted_rollout_go_on(
    api: CloudApi, database: Database, boxes: list[BoxStream], added: Path, admin: httpx.Client
) -> None:
    made = publish(api, database)
    turn(database, NOW)
    first, *others = [box for box in boxes if told(database, box.dev)]
    report(database, first.dev, NOW + 5, state="failed", error="release.disk")
    turn(database, NOW + 6)
    path = f"/v1/software/rollouts/{made}"
    assert (
        admin.post(f"{path}/resume", json={"reason": "its card was full"}).json()["state"]
        == "rolling"
    )
    assert admin.post(f"{path}/resume", json={"reason": "again"}).status_code == 422
    assert turn(database, NOW + 7) == "wait"
    for box in others:
        report(database, box.dev, NOW + 8, running="1.1.0", trusted="1.1.0")
    turn(database, NOW + 9)
    assert turn(database, NOW + 60_009) == "wave"
    assert admin.post(f"{path}/halt", json={"reason": "Friday"}).json()["state"] == "halted"
    assert reach(database) == 2
    assert admin.post(f"{path}/cancel", json={"reason": "no more"}).json()["state"] == "cancelled"


def test_a_failure_of_the_try_before_does_not_halt_the_next_one(
    api: CloudApi, database: Database, boxes: list[BoxStream], added: Path
) -> None:
    for box in boxes:
        report(database, box.dev, NOW - HOUR, state="failed", error="release.crashed")
    publish(api, database)
    turn(database, NOW)
    assert turn(database, NOW + 1) == "wait"


def test_a_silent_store_holds_up_the_end_alone(
    api: CloudApi, database: Database, boxes: list[BoxStream], added: Path
) -> None:
    publish(api, database, waves="100%")
    turn(database, NOW)
    well(database, boxes[1:], NOW + 1)
    assert turn(database, NOW + 2) == "wait"
    well(database, boxes, NOW + 3)
    assert turn(database, NOW + 4) == "finish"


def test_a_store_that_is_opened_later_gets_what_the_others_have(
    api: CloudApi,
    database: Database,
    boxes: list[BoxStream],
    added: Path,
    new_box: Callable[[], BoxStream],
) -> None:
    publish(api, database, waves="100%")
    turn(database, NOW)
    well(database, boxes, NOW + 1)
    assert turn(database, NOW + 2) == "finish"
    late = new_box()
    turn(database, NOW + 3)
    assert told(database, late.dev) == told(database, boxes[0].dev)


def test_the_command_line_takes_in_publishes_and_tells(
    run, added: Path, boxes: list[BoxStream], database: Database
) -> None:
    code, _, error = run("add", str(added))
    assert (code, error) == (
        1,
        "tillbox-cloud: Version 1.1.0 is there already. Changed software needs another version.\n",
    )
    assert run("publish", "9.9")[0] == 1
    assert run("publish", "1.1.0", "--waves", "50%")[0] == 1
    code, out, _ = run("publish", "1.1.0", "--waves", "25%,100%", "--soak-h", "0.5")
    assert code == 0
    assert out.endswith("of 1.1.0: waves of 3, 5 stores.\n")
    assert run("publish", "1.1.0")[0] == 1
    turn(database, NOW)
    report(database, boxes[0].dev, NOW)
    out = run("status")[1]
    assert "1.1.0\t0 boxes\tfaster" in out
    assert "wave 1" in out
    assert run("halt", "--reason", "stop")[0] == 0
    assert run("resume", "--reason", "go")[0] == 0
    assert run("cancel", "--reason", "enough")[0] == 0
    assert run("halt", "--reason", "stop")[0] == 1


@pytest.mark.parametrize(
    ("names", "code"),
    [
        ((), "software.no_wheels"),
        (("other-1-py3-none-any.whl",), "software.no_wheels"),
        (("tillbox-1.0-py3-none-any.whl", "tillbox-1.1-py3-none-any.whl"), "software.no_wheels"),
        (("tillbox-1.0-py3-none-any.whl", "a b.whl"), "software.bad_wheel"),
        (("tillbox-v1-py3-none-any.whl",), "software.bad_bundle"),
    ],
)
def test_a_folder_that_is_no_version_is_refused(
    names: tuple[str, ...], code: str, tmp_path
) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(RefusedError) as refused:
        bundle_of(tmp_path, About())
    assert refused.value.code == code


def test_the_console_sees_versions_rollouts_and_boxes(
    api: CloudApi, database: Database, boxes: list[BoxStream], added: Path, admin: httpx.Client
) -> None:
    body = {"version": "1.1.0", "waves": "25%,100%", "soak_s": 60, "hours": "", "note": "try"}
    answer = admin.post("/v1/software/rollouts", json=body)
    assert (answer.status_code, answer.json()["state"]) == (201, "rolling")
    assert admin.post("/v1/software/rollouts", json=body).status_code == 422
    turn(database, NOW)
    chosen = [box for box in boxes if told(database, box.dev)]
    report(database, chosen[0].dev, NOW, running="1.1.0", trusted="1.1.0")
    report(database, chosen[1].dev, NOW, state="swap", error="release.held.basket")
    found = admin.get("/v1/software").json()
    assert [(each["version"], each["boxes"]) for each in found["versions"]] == [("1.1.0", 1)]
    wave = found["rollouts"][0]["waves"][0]
    assert (wave["stores"], wave["current"], wave["failed"]) == (3, 1, 0)
    page = admin.get("/v1/software/boxes", params={"state": "untold", "size": 5}).json()
    assert page["total"] == 6
    assert page["counts"]["current"] == 1
    shown = admin.get("/v1/software/boxes", params={"q": chosen[0].store_id}).json()["boxes"]
    assert chosen[0].dev in {each["dev"] for each in shown}
    table = admin.get("/v1/software/boxes.csv").text.splitlines()
    assert len(table) == 9
    assert table[0].startswith("dev,store_id,store_name,running")


def test_who_may_only_read_brings_no_software(api: CloudApi) -> None:
    reader = api.client("reader")
    assert reader.get("/v1/software").status_code == 200
    assert reader.post("/v1/software/rollouts", json={"version": "1"}).status_code == 403
    assert api.client("it").post("/v1/software/rollouts", json={"version": "1"}).status_code == 404
