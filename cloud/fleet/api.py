"""Stores, boxes and enrolment over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from cloud.access import FLEET_ENROL, FLEET_READ, PUBLIC, STORE_WRITE, ContextDep, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.clock import random_bytes
from cloud.context import Principal
from cloud.fleet import devices, schemas, service, standing
from cloud.fleet.enrol import Enrol, Enrolment, Proof, enrol
from cloud.fleet.store import Store
from cloud.pki.folder import ca_of

router = APIRouter(prefix="/v1", tags=["fleet"])
READ = [Depends(Requires(FLEET_READ))]
OF_AREA = [Depends(Requires(FLEET_READ, scoped=True))]
Gatekeeper = Annotated[Principal, Depends(Requires(FLEET_ENROL, fresh=True))]
AreaReader = Annotated[Principal, Depends(Requires(FLEET_READ, scoped=True))]


@router.get("/stores", response_model=schemas.Stores)
def stores(context: ContextDep, reader: AreaReader) -> Response:
    """Every store, by id."""
    found = service.stores(context.database)
    return json_answer({"stores": [asdict(each) for each in found if reader.sees(each.store_id)]})


@router.put("/stores/{store_id}", status_code=204, dependencies=[Depends(Requires(STORE_WRITE))])
def put_store(store_id: str, body: schemas.StoreChange, context: ContextDep) -> Response:
    """Add or replace a store; its boxes get prices with the next publication."""
    place = Store(store_id, body.name.strip(), body.time_zone, body.currency)
    service.put_store(context.database, place)
    return Response(status_code=204)


@router.get("/fleet/boxes", response_model=schemas.Boxes)
def boxes(context: ContextDep, reader: AreaReader) -> Response:
    """Every box with its last contact and what it has not sent yet."""
    found = service.boxes(context.database)
    return json_answer({"boxes": [each for each in found if reader.sees(each["store_id"])]})


@router.get("/fleet/boxes/{dev}", response_model=schemas.BoxHistory, dependencies=READ)
def box_history(dev: str, context: ContextDep) -> Response:
    """A box's journal lives, and what was done to it by whom."""
    streams, events = standing.history(context.database, dev)
    return json_answer({"streams": streams, "events": [asdict(event) for event in events]})


@router.post("/fleet/boxes/{dev}/revoke", status_code=204)
def revoke_box(
    dev: str, body: schemas.ShutOutOrder, context: ContextDep, keeper: Gatekeeper
) -> Response:
    """Shut a lost or stolen box out; it can only come back as a new one, with a new claim."""
    order = standing.Order(dev, keeper.name, body.reason, context.clock.now_ms())
    standing.revoke(context.database, context.accounts, order)
    return Response(status_code=204)


@router.get(
    "/stores/{store_id}/devices", response_model=schemas.DeviceHistory, dependencies=OF_AREA
)
def store_devices(
    store_id: str,
    context: ContextDep,
    before_ms: Annotated[int, Query(ge=0, le=devices.NEVER_MS)] = devices.NEVER_MS,
    limit: Annotated[int, Query(ge=1, le=devices.FACTS_MAX)] = 100,
) -> Response:
    """What a store's scanners, printers, drawers and scales had, newest first."""
    found = devices.history(context.database, store_id, before_ms, limit)
    return json_answer(asdict(found))


@router.get("/stores/{store_id}/devices.csv", response_class=CsvAnswer, dependencies=OF_AREA)
def store_devices_csv(store_id: str, context: ContextDep) -> Response:
    """The same as a table, the newest 5,000 rows."""
    rows = devices.all_rows(context.database, store_id)
    return CsvAnswer.of_rows(devices.COLUMNS, rows, f"devices-{store_id}.csv")


@router.post(
    "/claims",
    status_code=201,
    response_model=schemas.NewClaim,
    dependencies=[Depends(Requires(FLEET_ENROL))],
)
def new_claim(body: schemas.ClaimRequest, context: ContextDep) -> Response:
    """Make a token with which one box enrols as this store's."""
    claim = service.new_claim(
        context.database, store_id=body.store_id, at_ms=context.clock.now_ms()
    )
    return json_answer(asdict(claim), status=201)


@router.post("/enrol", response_model=schemas.EnrolAnswer, dependencies=[Depends(PUBLIC)])
def enrol_box(body: schemas.EnrolRequest, context: ContextDep) -> Response:
    """Turn a claim into a box's identity.

    Until the box was heard from, a repeat with the same key gives the same.
    """
    parts = Enrolment(
        database=context.database,
        settings=context.settings,
        hq_key=context.hq_key,
        accounts=context.accounts,
        welcome=context.welcome,
        ca=ca_of(context.settings, random_bytes),
    )
    proof = Proof(bytes.fromhex(body.nonce), body.t, bytes.fromhex(body.proof))
    journal_pub = bytes.fromhex(body.journal_pub)
    command = Enrol(body.token, journal_pub, body.hw_fp, body.csr.encode(), proof)
    return json_answer(enrol(parts, command, context.clock.now_ms()))
