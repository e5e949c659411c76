"""Telemetry, alerts, windows, rules and notes over a real database."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from sqlalchemy import Connection, text

from cloud.db import Database
from cloud.fleet import telemetry_store
from cloud.fleet.alert_watch import look
from cloud.fleet.outlet import SIGNATURE_HEADER, NoOutlet, Webhook, post, signature
from cloud.fleet.telemetry import TelemetryConsumer, row_of
from cloud.mqtt import Message
from shared.kernel.ids import DeviceId
from shared.wire.message import DeviceTelemetry, Telemetry, message_bytes
from shared.wire.topics import up_telemetry
from tests.fakes.box_stream import BoxStream
from tests.lab.cloud_api import CloudApi, SettableClock

NewBox = Callable[[], BoxStream]
START_MS = 1_795_000_000_000
SECOND, HOUR = 1_000, 3_600_000


@dataclass
class Care:
    """Boxes that tell, and looks at them at chosen times."""

    database: Database
    clock: SettableClock
    consumer: TelemetryConsumer = field(init=False)

    def __post_init__(self) -> None:
        self.consumer = TelemetryConsumer(self.database, self.clock, lambda *_: None)
        with self.database.begin() as connection:
            telemetry_store.keep_partitions(connection, self.clock.at_ms)

    def tell(self, dev: str, **changed: Any) -> None:
        values = {
            "t": self.clock.at_ms, "uptime_s": 9, "disk_free_mb": 900, "disk_size_mb": 1_000,
            "clk": 2, "queue": 0, **changed,
        }  # fmt: skip
        payload = message_bytes(Telemetry(**values))
        self.consumer.on_telemetry(Message(up_telemetry(DeviceId(dev)), payload, is_retained=False))

    def look(self, outlet: Any = None, *, can_hear: bool = True) -> None:
        self.consumer.flush()
        with self.database.begin() as connection:
            look(connection, self.clock.at_ms, outlet or NoOutlet(), can_hear=can_hear)

    def walk(self, dev: str, seconds: int, **told: Any) -> None:
        """Tell and look every twenty seconds."""
        for _ in range(seconds // 20):
            self.clock.at_ms += 20 * SECOND
            self.tell(dev, **told)
            self.look()

    def alerts(self, dev: str) -> list[tuple[str, str]]:
        with self.database.begin() as connection:
            found = connection.execute(
                text("SELECT rule, state FROM alert WHERE dev = :dev ORDER BY id"), {"dev": dev}
            )
            return [(each.rule, each.state) for each in found]


@pytest.fixture
def care(database: Database, api: CloudApi) -> Iterator[Care]:
    clock = api.clock
    assert isinstance(clock, SettableClock)
    clock.at_ms = START_MS
    yield Care(database, clock)
    with database.begin() as connection:
        connection.execute(text("TRUNCATE alert, telemetry, telemetry_hour, maintenance_window"))
        connection.execute(text("TRUNCATE alert_rule, alert_notice"))


def test_an_alert_opens_and_closes_with_hysteresis_and_once(care: Care, new_box: NewBox) -> None:
    dev = new_box().dev
    care.walk(dev, 40, disk_free_mb=50)
    assert care.alerts(dev) == [("disk_low", "pending")]
    care.walk(dev, 200, disk_free_mb=50)
    care.walk(dev, 200, disk_free_mb=120)
    assert care.alerts(dev) == [("disk_low", "open")]
    care.walk(dev, 40, disk_free_mb=900)
    assert care.alerts(dev) == [("disk_low", "open")]
    care.walk(dev, 60, disk_free_mb=900)
    assert care.alerts(dev) == [("disk_low", "closed")]
    care.walk(dev, 100, disk_free_mb=50)
    assert care.alerts(dev) == [("disk_low", "closed"), ("disk_low", "open")]


def test_two_workers_that_look_together_open_one_alert(care: Care, new_box: NewBox) -> None:
    boxes = [new_box().dev for _ in range(5)]
    for dev in boxes:
        care.tell(dev, wear_percent=90)
    care.consumer.flush()
    threads = [threading.Thread(target=care.look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [care.alerts(dev) for dev in boxes] == [[("card_worn", "open")]] * 5


def test_a_silent_box_is_noticed_but_not_while_head_office_is_deaf(
    care: Care, new_box: NewBox
) -> None:
    dev = new_box().dev
    care.tell(dev)
    care.look()
    care.clock.at_ms += HOUR
    care.look(can_hear=False)
    assert care.alerts(dev) == []
    care.look()
    assert care.alerts(dev) == [("silent", "open")]
    care.tell(dev)
    care.look()
    assert care.alerts(dev) == [("silent", "closed")]


def test_nothing_opens_in_a_window_and_a_rule_that_is_off_closes_its_alerts(
    care: Care, new_box: NewBox, api: CloudApi
) -> None:
    box, it = new_box(), api.client("it")
    window = {
        "target": "store", "target_id": box.store_id, "note": "new card",
        "from_ms": START_MS, "to_ms": START_MS + HOUR,
    }  # fmt: skip
    assert api.client("reader").post("/v1/fleet/windows", json=window).status_code == 403
    number = it.post("/v1/fleet/windows", json=window).json()["id"]
    care.walk(box.dev, 20, wear_percent=90)
    assert care.alerts(box.dev) == [("card_worn", "pending")]
    assert it.delete(f"/v1/fleet/windows/{number}").status_code == 204
    assert it.delete(f"/v1/fleet/windows/{number}").status_code == 404
    care.walk(box.dev, 20, wear_percent=90)
    assert care.alerts(box.dev) == [("card_worn", "open")]
    rule = {"is_on": False, "open_at": 80, "close_at": 70, "hold_s": 0}
    wrong = it.put("/v1/fleet/alert-rules/card_worn", json={**rule, "close_at": 80})
    assert wrong.json()["code"] == "alert.thresholds"
    assert it.put("/v1/fleet/alert-rules/card_worn", json=rule).status_code == 204
    care.walk(box.dev, 20, wear_percent=90)
    assert care.alerts(box.dev) == [("card_worn", "closed")]
    listed = {each["rule"]: each for each in it.get("/v1/fleet/alert-rules").json()["rules"]}
    assert (listed["card_worn"]["is_on"], listed["card_worn"]["changed_by"]) == (False, "it")


def test_an_alert_is_acknowledged_and_closes_all_the_same(
    care: Care, new_box: NewBox, api: CloudApi
) -> None:
    box, it = new_box(), api.client("it")
    care.walk(box.dev, 20, certificate_days=3)
    found = it.get("/v1/fleet/alerts", params={"dev": box.dev}).json()
    (alert,) = found["alerts"]
    assert (alert["rule"], alert["value"], alert["store_id"]) == ("certificate", 3, box.store_id)
    said = {"ids": [alert["id"]], "note": "renewed today"}
    assert it.post("/v1/fleet/alerts/acknowledge", json=said).json() == {"count": 1}
    assert it.post("/v1/fleet/alerts/acknowledge", json=said).json() == {"count": 0}
    care.walk(box.dev, 20, certificate_days=2)
    assert care.alerts(box.dev) == [("certificate", "acknowledged")]
    care.walk(box.dev, 20, certificate_days=90)
    (closed,) = it.get("/v1/fleet/alerts", params={"state": "closed", "dev": box.dev}).json()[
        "alerts"
    ]
    assert (closed["note"], closed["closed_because"]) == ("renewed today", "recovered")
    assert "renewed today" in it.get("/v1/fleet/alerts.csv?state=all").text


def test_the_health_table_is_filtered_counted_and_exported(
    care: Care, new_box: NewBox, api: CloudApi
) -> None:
    well, hot, untold = new_box(), new_box(), new_box()
    printer = DeviceTelemetry("printer-1", "printer", "failed", "printer.paper_out")
    care.tell(well.dev, scan_p99_ms=60)
    care.tell(hot.dev, temperature_mc=70_000, devices=(printer,))
    care.consumer.flush()
    reader = api.client("reader")

    def asked(**query: Any) -> dict[str, Any]:
        return dict(reader.get("/v1/fleet/health", params=query).json())

    (row,) = asked(search=hot.store_id + " ", sort="temperature", limit=1)["boxes"]
    assert (row["dev"], row["disk_free_percent"], row["devices_failed"]) == (hot.dev, 90, 1)
    found = asked(state="untold", search=untold.dev)
    assert (found["counts"]["found"], found["boxes"][0]["told_at_ms"]) == (1, None)
    assert asked(search="%")["counts"]["boxes"] == 0
    assert reader.get("/v1/fleet/health", params={"sort": "dev; DROP"}).status_code == 422
    assert hot.dev in reader.get("/v1/fleet/health.csv").text
    one = reader.get(f"/v1/fleet/boxes/{hot.dev}/telemetry").json()
    assert one["latest"]["devices"][0]["fault"] == "printer.paper_out"
    assert [each["temperature_mc_max"] for each in one["hours"]] == [70_000]
    assert str(START_MS - START_MS % HOUR) in (
        reader.get(f"/v1/fleet/boxes/{hot.dev}/telemetry.csv").text
    )


def test_notes_are_written_read_and_taken_away(api: CloudApi, new_box: NewBox) -> None:
    path, it = f"/v1/stores/{new_box().store_id}/notes", api.client("it")
    assert it.post(path, json={"note": "  "}).json()["code"] == "note.empty"
    number = it.post(path, json={"note": "Key is with the baker"}).json()["id"]
    assert [each["note"] for each in it.get(path).json()["notes"]] == ["Key is with the baker"]
    assert it.delete(f"{path}/{number}").status_code == 204
    assert it.get(path).json()["notes"] == []


def test_a_batch_of_many_boxes_costs_one_statement(
    care: Care, new_box: NewBox, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = new_box()
    many = """
        INSERT INTO device
        SELECT 'd-' || lpad(translate(n::text, '0123456789', 'abcdefghij'), 16, 'z'), :store,
            '', '', 'active', '', 0 FROM generate_series(1, 500) n RETURNING dev"""
    with database.begin() as connection:
        devs = list(connection.execute(text(many), {"store": first.store_id}).scalars())
    saved: list[int] = []
    save = telemetry_store.save

    def counting(connection: Connection, rows: Sequence[Any], now_ms: int) -> None:
        saved.append(len(rows))
        save(connection, rows, now_ms)

    monkeypatch.setattr(telemetry_store, "save", counting)
    for turn in range(3):
        care.clock.at_ms = START_MS + turn * 60 * SECOND
        for dev in devs:
            care.tell(dev, scans=2, temperature_mc=50_000 + turn)
        assert care.consumer.flush() == len(devs)
    totals = text("""
        SELECT count(*), sum(samples), sum(scans), max(temperature_mc_max) FROM telemetry_hour
        WHERE dev = ANY(:devs)""")
    with database.begin() as connection:
        found = tuple(connection.execute(totals, {"devs": devs}).one())
        connection.execute(text("DELETE FROM telemetry WHERE dev = ANY(:devs)"), {"devs": devs})
        connection.execute(text("DELETE FROM device WHERE dev = ANY(:devs)"), {"devs": devs})
    assert found == (500, 1_500, 3_000, 50_002)
    assert saved == [500] * 3


def test_old_days_are_dropped_and_new_ones_have_room(database: Database) -> None:
    day = 24 * HOUR

    def parts() -> set[str]:
        with database.begin() as connection:
            found = connection.execute(
                text("SELECT inhrelid::regclass::text FROM pg_inherits"
                     " WHERE inhparent = 'telemetry_hour'::regclass")
            )  # fmt: skip
            return set(found.scalars())

    for at_ms in (START_MS, START_MS, START_MS + 40 * day):
        with database.begin() as connection:
            telemetry_store.keep_partitions(connection, at_ms)
    assert parts() == {f"telemetry_hour_202612{d}" for d in ("28", "29", "30")}
    with database.begin() as connection:
        telemetry_store.keep_partitions(connection, START_MS)


@dataclass
class Listener:
    """Somebody outside, who fails as often as told."""

    failures: int = 0
    got: list[tuple[dict[str, Any], str, bytes]] = field(default_factory=list)
    server: HTTPServer = field(init=False)

    def __post_init__(self) -> None:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if listener.failures:
                    listener.failures -= 1
                    self.send_response(503)
                else:
                    listener.got.append((json.loads(body), self.headers[SIGNATURE_HEADER], body))
                    self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_alerts_are_told_outside_signed_and_again_until_they_are_heard(
    care: Care, new_box: NewBox, listener: Listener, database: Database
) -> None:
    dev, url = new_box().dev, f"http://127.0.0.1:{listener.server.server_port}/hook"
    outlet = Webhook(database, care.clock, url, "our-secret", post)
    care.tell(dev, wear_percent=95)
    care.look(outlet)
    listener.failures = 3
    assert outlet.deliver() == 0
    assert outlet.deliver() == 0
    care.clock.at_ms += 60 * SECOND
    assert outlet.deliver() == 1
    ((body, signed, raw),) = listener.got
    assert signed == signature("our-secret", body["sent_at_ms"], raw)
    assert [(each["dev"], each["rule"], each["state"]) for each in body["alerts"]] == [
        (dev, "card_worn", "open")
    ]
    assert outlet.deliver() == 0


def test_what_nobody_hears_for_a_day_is_given_up(
    care: Care, new_box: NewBox, database: Database
) -> None:
    def away(*_: object) -> int:
        return 500

    outlet = Webhook(database, care.clock, "http://x.invalid", "s", away)
    care.tell(new_box().dev, wear_percent=95)
    care.look(outlet)
    assert outlet.deliver() == 0
    care.clock.at_ms += 25 * HOUR
    outlet.deliver()
    with database.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM alert_notice")).scalar_one() == 0


def test_a_word_of_an_unknown_box_leaves_nothing(care: Care, database: Database) -> None:
    told = Telemetry(START_MS, 1, 1, 2, 2, 0)
    with database.begin() as connection:
        telemetry_store.save(connection, [row_of("d-nobody", told)], START_MS)
        assert telemetry_store.latest(connection, "d-nobody") is None
