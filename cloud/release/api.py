"""Releases over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from cloud.access import (
    ITEM_READ,
    PUBLICATION_PUBLISH,
    RELEASE_APPROVE,
    RELEASE_POLICY,
    ContextDep,
    Requires,
)
from cloud.answer import CsvAnswer, json_answer
from cloud.context import Context, Principal
from cloud.publication.engine import Publisher
from cloud.release import queries, schemas, service
from cloud.release.guard import GuardId, GuardSetting
from cloud.release.policy import Policy
from cloud.release.service import Asked, Submit
from cloud.release.simulation_store import NONE
from cloud.release.state import Verb
from shared.kernel.errors import RefusedError
from shared.release.plan import plan_of

router = APIRouter(prefix="/v1", tags=["releases"])
Reader = Annotated[Principal, Depends(Requires(ITEM_READ))]
Sender = Annotated[Principal, Depends(Requires(PUBLICATION_PUBLISH))]
Approver = Annotated[Principal, Depends(Requires(RELEASE_APPROVE))]
Ruler = Annotated[Principal, Depends(Requires(RELEASE_POLICY))]
Filter = Annotated[schemas.ReleaseFilter, Query()]
StoreFilter = Annotated[schemas.StoreFilter, Query()]
READ = [Depends(Requires(ITEM_READ))]


@router.get("/releases", response_model=schemas.Releases)
def releases(context: ContextDep, asked: Filter, principal: Reader) -> Response:
    """A page of releases, the newest first."""
    now_ms = context.clock.now_ms()
    return json_answer(queries.releases(context.database, asked, principal, now_ms))


@router.get("/releases.csv", response_class=CsvAnswer, dependencies=READ)
def releases_csv(context: ContextDep, asked: Filter) -> Response:
    """The same table to download."""
    rows = queries.release_rows(context.database, asked)
    return CsvAnswer.of_rows(queries.ROW_COLUMNS, rows, "releases.csv")


@router.post("/releases", status_code=201, response_model=schemas.Release)
def submit(body: schemas.ReleaseRequest, context: ContextDep, principal: Sender) -> Response:
    """Hand in all drafts as one release."""
    plan = None if body.plan is None else plan_of(each.model_dump() for each in body.plan)
    command = Submit(body.note, body.starts_local or None, plan, body.approve)
    asked = _asked(context, principal)
    release_id = service.submit(_publisher(context), command, asked)
    return json_answer(_release(context, release_id, principal), status=201)


# Before a release's own address, which would take this for a number.
@router.get("/releases/draft/preview", response_model=schemas.Preview, dependencies=READ)
def draft_preview(context: ContextDep) -> Response:
    """What a release of all drafts would change."""
    told = service.draft_preview(_publisher(context), context.clock.now_ms())
    return json_answer({**told, "simulation": NONE})


@router.get("/releases/draft/changes.csv", response_class=CsvAnswer, dependencies=READ)
def draft_changes_csv(context: ContextDep) -> Response:
    """Every record that a release of all drafts would change."""
    rows = service.draft_changes(_publisher(context), context.clock.now_ms())
    return CsvAnswer.of_rows(queries.CSV_COLUMNS, rows, "drafts.csv")


@router.get("/releases/{release_id}", response_model=schemas.Release)
def release(release_id: int, context: ContextDep, principal: Reader) -> Response:
    """One release with waves, guards and events."""
    return json_answer(_release(context, release_id, principal))


@router.get("/releases/{release_id}/preview", response_model=schemas.Preview, dependencies=READ)
def preview(release_id: int, context: ContextDep) -> Response:
    """What it changes, as found out when it was handed in."""
    return json_answer(queries.preview(context.database, release_id))


@router.get(
    "/releases/{release_id}/stores", response_model=schemas.ReleaseStores, dependencies=READ
)
def stores(release_id: int, context: ContextDep, asked: StoreFilter) -> Response:
    """A page of its stores."""
    now_ms = context.clock.now_ms()
    return json_answer(queries.stores(context.database, release_id, asked, now_ms))


@router.get("/releases/{release_id}/stores.csv", response_class=CsvAnswer, dependencies=READ)
def stores_csv(release_id: int, context: ContextDep, asked: StoreFilter) -> Response:
    """The same table to download."""
    rows = queries.store_rows(context.database, release_id, asked, context.clock.now_ms())
    return CsvAnswer.of_rows(queries.STORE_COLUMNS, rows, f"release-{release_id}-stores.csv")


@router.get("/releases/{release_id}/changes.csv", response_class=CsvAnswer, dependencies=READ)
def changes_csv(release_id: int, context: ContextDep) -> Response:
    """Every record that it changes, old and new."""
    queries.preview(context.database, release_id)  # there is such a release
    rows = queries.change_rows(context.database, release_id)
    return CsvAnswer.of_rows(queries.CSV_COLUMNS, rows, f"release-{release_id}.csv")


@router.post("/releases/{release_id}/approve", response_model=schemas.Release)
def approve(
    release_id: int, body: schemas.Said, context: ContextDep, principal: Approver
) -> Response:
    """Let it go out; for a large one somebody else than its creator."""
    return _act(context, release_id, Verb.APPROVE, _asked(context, principal, body))


@router.post("/releases/{release_id}/reject", response_model=schemas.Release)
def reject(
    release_id: int, body: schemas.Said, context: ContextDep, principal: Approver
) -> Response:
    """Refuse it; its changes are drafts again."""
    return _act(context, release_id, Verb.REJECT, _asked(context, principal, body))


@router.post("/releases/{release_id}/advance", response_model=schemas.Release)
def advance(
    release_id: int, body: schemas.Said, context: ContextDep, principal: Approver
) -> Response:
    """Begin the next wave without waiting; guards go on looking."""
    return _act(context, release_id, Verb.ADVANCE, _asked(context, principal, body))


@router.post("/releases/{release_id}/cancel", response_model=schemas.Release)
def cancel(release_id: int, body: schemas.Said, context: ContextDep, principal: Sender) -> Response:
    """Take back what no store has yet; its changes are drafts again."""
    return _act(context, release_id, Verb.CANCEL, _asked(context, principal, body))


@router.post("/releases/{release_id}/pause", response_model=schemas.Release)
def pause(release_id: int, body: schemas.Said, context: ContextDep, principal: Sender) -> Response:
    """Begin no further wave until it is resumed; stores that wait for their instant lose it."""
    return _act(context, release_id, Verb.PAUSE, _asked(context, principal, body))


@router.post("/releases/{release_id}/resume", response_model=schemas.Release)
def resume(release_id: int, body: schemas.Said, context: ContextDep, principal: Sender) -> Response:
    """Go on: stores that lost it get it again, those whose instant has passed at once."""
    return _act(context, release_id, Verb.RESUME, _asked(context, principal, body))


@router.post("/releases/{release_id}/halt", response_model=schemas.Release)
def halt(release_id: int, body: schemas.Said, context: ContextDep, principal: Sender) -> Response:
    """Stop for good: stores that wait for their instant do not reach it, others keep it."""
    return _act(context, release_id, Verb.HALT, _asked(context, principal, body))


@router.post("/releases/{release_id}/roll-back", response_model=schemas.Release)
def roll_back(
    release_id: int, body: schemas.Said, context: ContextDep, principal: Sender
) -> Response:
    """Take it back from every store; of a finished one comes the release that does so."""
    return _act(context, release_id, Verb.ROLL_BACK, _asked(context, principal, body))


@router.get("/release-policy", response_model=schemas.StoredPolicy, dependencies=READ)
def policy(context: ContextDep) -> Response:
    """When a second person has to approve."""
    return json_answer(queries.policy(context.database))


@router.put("/release-policy", response_model=schemas.StoredPolicy)
def set_policy(body: schemas.Policy, context: ContextDep, principal: Ruler) -> Response:
    """Let another policy count from now on."""
    told = body.model_dump()
    plans = {name: plan_of(told[name]) for name in ("plan", "undo_plan")}
    rules = Policy(**{**told, **plans})
    service.set_policy(_publisher(context), rules, _asked(context, principal))
    return json_answer(queries.policy(context.database))


@router.get("/release-guards", response_model=schemas.Guards, dependencies=READ)
def guards(context: ContextDep) -> Response:
    """What stops a release by itself."""
    return json_answer(queries.guards(context.database))


@router.put("/release-guards", response_model=schemas.Guards)
def set_guards(body: schemas.Guards, context: ContextDep, principal: Ruler) -> Response:
    """Set guards; those that are not named stay as they are."""
    changed = [_guard(each) for each in body.guards]
    service.set_guards(_publisher(context), changed, _asked(context, principal))
    return json_answer(queries.guards(context.database))


@router.post("/publications", status_code=201, response_model=schemas.Published)
def publish(body: schemas.PublishRequest, context: ContextDep, principal: Sender) -> Response:
    """All drafts to all stores at once, where the policy asks for no second person."""
    asked = _asked(context, principal)
    rev, reached = service.publish(_publisher(context), body.note, asked)
    return json_answer({"rev": rev, "at_ms": asked.at_ms, "stores": reached}, status=201)


def _act(context: Context, release_id: int, verb: Verb, asked: Asked) -> Response:
    shown = service.act(_publisher(context), release_id, verb, asked)
    return json_answer(_release(context, shown, asked.principal))


def _release(context: Context, release_id: int, principal: Principal) -> dict[str, object]:
    return queries.release(context.database, release_id, principal, context.clock.now_ms())


def _asked(context: Context, principal: Principal, body: schemas.Said | None = None) -> Asked:
    return Asked(principal, context.clock.now_ms(), "" if body is None else body.reason.strip())


def _publisher(context: Context) -> Publisher:
    return Publisher(context.database, context.objects, context.hq_key, context.sources)


def _guard(body: schemas.GuardSetting) -> GuardSetting:
    try:
        guard = GuardId(body.guard)
    except ValueError:
        raise RefusedError("release.guard", guard=body.guard) from None
    return GuardSetting(
        guard,
        body.threshold,
        body.unit,
        body.least,
        body.window_s,
        is_on=body.is_on,
        action=body.action,
    )
