"""Health, alerts, windows and notes over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from cloud.access import FLEET_ALERT, FLEET_READ, ContextDep, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.context import Context, Principal
from cloud.fleet import alert_store, care, health_store, telemetry_store
from cloud.fleet import care_schemas as schemas
from cloud.fleet.alert import RULES, Rule
from cloud.fleet.alert_store import AlertQuestion
from cloud.fleet.care import Signed
from cloud.fleet.health_store import HealthQuestion
from cloud.fleet.window import Window

router = APIRouter(prefix="/v1", tags=["fleet"])
READ = [Depends(Requires(FLEET_READ))]
Carer = Annotated[Principal, Depends(Requires(FLEET_ALERT))]
Word = Annotated[str, Query(max_length=80, pattern=r"^[^\x00]*$")]
Page = Annotated[int, Query(ge=1, le=health_store.PAGE_MAX)]
Skip = Annotated[int, Query(ge=0, le=100_000)]
STANDING = ("open", "acknowledged")
STATES = {
    "standing": STANDING,
    "open": ("open",),
    "acknowledged": ("acknowledged",),
    "closed": ("closed",),
    "all": (*STANDING, "closed"),
}
ALERT_COLUMNS = (
    "id", "store_id", "store_name", "dev", "rule", "state", "opened_at_ms", "value", "worst",
    "detail", "acknowledged_by", "acknowledged_at_ms", "note", "closed_at_ms", "closed_because",
)  # fmt: skip
HOUR_COLUMNS = tuple(schemas.TelemetryHour.model_fields)
WINDOW_COLUMNS = tuple(schemas.Window.model_fields)


def _health_question(
    context: ContextDep,
    search: Word = "",
    state: Annotated[str, Query(max_length=16)] = "all",
    group: Word = "",
    sort: Annotated[str, Query(max_length=16)] = "store",
) -> HealthQuestion:
    return HealthQuestion(context.clock.now_ms(), search, state, group, sort=sort)


def _alert_question(
    state: Annotated[str, Query(pattern=f"^({'|'.join(STATES)})$")] = "standing",
    rule: Annotated[str, Query(max_length=40)] = "",
    dev: Annotated[str, Query(max_length=32)] = "",
    search: Word = "",
) -> AlertQuestion:
    return AlertQuestion(STATES[state], rule, dev, search)


HealthAsked = Annotated[HealthQuestion, Depends(_health_question)]
AlertsAsked = Annotated[AlertQuestion, Depends(_alert_question)]


@router.get("/fleet/health", response_model=schemas.Health, dependencies=READ)
def health(context: ContextDep, asked: HealthAsked, limit: Page = 50, skip: Skip = 0) -> Response:
    """A page of the boxes in service with how they feel, and counts of all of them."""
    return json_answer(care.health(context.database, asked, limit, skip))


@router.get("/fleet/health.csv", response_class=CsvAnswer, dependencies=READ)
def health_csv(context: ContextDep, asked: HealthAsked) -> Response:
    """The same as a table, at most 20,000 boxes."""
    rows = care.health_rows(context.database, asked)
    return CsvAnswer.of_rows(health_store.COLUMNS, rows, "fleet.csv")


@router.get("/fleet/boxes/{dev}/telemetry", response_model=schemas.BoxTelemetry, dependencies=READ)
def box_telemetry(
    dev: str, context: ContextDep, hours: Annotated[int, Query(ge=1, le=840)] = 24
) -> Response:
    """A box's newest word and its last hours."""
    return json_answer(care.telemetry(context.database, dev, _since(context, hours)))


@router.get("/fleet/boxes/{dev}/telemetry.csv", response_class=CsvAnswer, dependencies=READ)
def box_telemetry_csv(
    dev: str, context: ContextDep, hours: Annotated[int, Query(ge=1, le=840)] = 840
) -> Response:
    """The hours as a table."""
    found = care.telemetry(context.database, dev, _since(context, hours))["hours"]
    rows = [tuple(row[name] for name in HOUR_COLUMNS) for row in found]
    return CsvAnswer.of_rows(HOUR_COLUMNS, rows, f"telemetry-{dev}.csv")


@router.get("/fleet/alerts", response_model=schemas.Alerts, dependencies=READ)
def alerts(
    context: ContextDep,
    asked: AlertsAsked,
    limit: Annotated[int, Query(ge=1, le=alert_store.PAGE_MAX)] = 100,
    skip: Skip = 0,
) -> Response:
    """Alerts, the newest first."""
    return json_answer(care.alerts(context.database, asked, limit, skip))


@router.get("/fleet/alerts.csv", response_class=CsvAnswer, dependencies=READ)
def alerts_csv(context: ContextDep, asked: AlertsAsked) -> Response:
    """The same as a table, the newest 20,000."""
    found = care.alerts(context.database, asked, care.CSV_MAX, 0)["alerts"]
    return CsvAnswer.of_rows(ALERT_COLUMNS, _cells(found, ALERT_COLUMNS), "alerts.csv")


@router.post("/fleet/alerts/acknowledge", response_model=schemas.Acknowledged)
def acknowledge(body: schemas.Acknowledge, context: ContextDep, carer: Carer) -> Response:
    """Say that somebody is on these alerts."""
    count = care.acknowledge(context.database, body.ids, body.note, _signed(context, carer))
    return json_answer({"count": count})


@router.get("/fleet/alert-rules", response_model=schemas.AlertRules, dependencies=READ)
def alert_rules(context: ContextDep) -> Response:
    """Every rule."""
    found = care.rules(context.database)
    has_outlet = bool(context.settings.alert_webhook_url)
    return json_answer({"rules": found, "has_outlet": has_outlet})


@router.put("/fleet/alert-rules/{rule}", status_code=204)
def put_alert_rule(
    rule: str, body: schemas.RuleChange, context: ContextDep, carer: Carer
) -> Response:
    """Change a rule's thresholds, or switch it off: what stands of it is closed then."""
    is_above = RULES[rule].is_above if rule in RULES else True
    wanted = Rule(rule, "", is_above, body.open_at, body.close_at, body.hold_s, is_on=body.is_on)
    care.put_rule(context.database, wanted, _signed(context, carer))
    return Response(status_code=204)


@router.get("/fleet/windows", response_model=schemas.Windows, dependencies=READ)
def windows(context: ContextDep) -> Response:
    """Maintenance windows, those that count first."""
    found = care.windows(context.database, context.clock.now_ms())
    return json_answer({"windows": found})


@router.get("/fleet/windows.csv", response_class=CsvAnswer, dependencies=READ)
def windows_csv(context: ContextDep) -> Response:
    """The same as a table."""
    found = care.windows(context.database, context.clock.now_ms())
    return CsvAnswer.of_rows(WINDOW_COLUMNS, _cells(found, WINDOW_COLUMNS), "windows.csv")


@router.post("/fleet/windows", status_code=201, response_model=schemas.Added)
def add_window(body: schemas.NewWindow, context: ContextDep, carer: Carer) -> Response:
    """Add a maintenance window: no alert opens at its stores meanwhile."""
    values = body.model_dump(exclude={"note"})
    added = care.add_window(context.database, Window(**values), body.note, _signed(context, carer))
    return json_answer({"id": added}, status=201)


@router.delete("/fleet/windows/{window_id}", status_code=204)
def end_window(window_id: int, context: ContextDep, carer: Carer) -> Response:
    """End a window."""
    care.end_window(context.database, window_id, _signed(context, carer))
    return Response(status_code=204)


@router.get("/stores/{store_id}/notes", response_model=schemas.StoreNotes, dependencies=READ)
def notes(store_id: str, context: ContextDep) -> Response:
    """What people noted about a store."""
    return json_answer({"notes": care.notes(context.database, store_id)})


@router.post("/stores/{store_id}/notes", status_code=201, response_model=schemas.Added)
def add_note(store_id: str, body: schemas.NewNote, context: ContextDep, carer: Carer) -> Response:
    """Write a note about a store."""
    added = care.add_note(context.database, store_id, body.note, _signed(context, carer))
    return json_answer({"id": added}, status=201)


@router.delete("/stores/{store_id}/notes/{note_id}", status_code=204)
def remove_note(store_id: str, note_id: int, context: ContextDep, carer: Carer) -> Response:
    """Take a note away."""
    care.remove_note(context.database, store_id, note_id, _signed(context, carer))
    return Response(status_code=204)


def _signed(context: Context, carer: Principal) -> Signed:
    return Signed(carer.name, context.clock.now_ms())


def _since(context: Context, hours: int) -> int:
    return context.clock.now_ms() - hours * telemetry_store.HOUR_MS


def _cells(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in columns) for row in rows]
