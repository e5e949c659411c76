"""Opening a store, and the inventory of all, over HTTP."""

from __future__ import annotations

from typing import Annotated

from cryptography.hazmat.primitives import hashes
from fastapi import APIRouter, Depends, Response

from cloud.access import FLEET_ENROL, FLEET_READ, ContextDep, Requires
from cloud.answer import json_answer
from cloud.clock import random_bytes
from cloud.context import Context, Principal
from cloud.fleet import opening, opening_schemas
from cloud.fleet.opening import Opening
from cloud.fleet.store import Store
from cloud.pki.folder import ca_of
from cloud.qr import qr_path

router = APIRouter(prefix="/v1", tags=["fleet"])
Opener = Annotated[Principal, Depends(Requires(FLEET_ENROL))]
AreaReader = Annotated[Principal, Depends(Requires(FLEET_READ, scoped=True))]


@router.post("/stores/new", status_code=201, response_model=opening_schemas.OpenedStore)
def open_store(body: opening_schemas.NewStore, context: ContextDep, opener: Opener) -> Response:
    """Make a store with the claim of its box, ready to be scanned or pasted."""
    place = Store(body.store_id, body.name.strip(), body.time_zone, body.currency)
    wanted = Opening(place, body.address.strip(), opener.name)
    cloud = (context.settings.url(), _chain_print(context))
    made = opening.open_store(context.database, wanted, cloud, context.clock.now_ms())
    path, modules = qr_path(made["claim_url"])
    return json_answer({**made, "qr_path": path, "qr_modules": modules}, status=201)


@router.get("/stores/{store_id}/checklist", response_model=opening_schemas.Checklist)
def store_checklist(store_id: str, context: ContextDep, _: AreaReader) -> Response:
    """What is done and what is to do until the store's first sale."""
    return json_answer(opening.checklist(context.database, store_id))


@router.get("/fleet/inventory", response_model=opening_schemas.Inventory)
def fleet_inventory(context: ContextDep, reader: AreaReader) -> Response:
    """Every store's box with its address and groups, for programs that look after boxes."""
    found = opening.inventory(context.database)
    return json_answer({"hosts": [each for each in found if reader.sees(each["store_id"])]})


def _chain_print(context: Context) -> str:
    """The SHA-256 of the chain's CA (hex); "" where HTTPS uses a public one."""
    folder = ca_of(context.settings, random_bytes)
    if folder is None:
        return ""
    return folder.signer("chain").certificate.fingerprint(hashes.SHA256()).hex()
