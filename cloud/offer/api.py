"""Offers over HTTP."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from cloud.access import ITEM_READ, PRICE_WRITE, ContextDep, Requires
from cloud.answer import json_answer
from cloud.context import Principal
from cloud.offer import schemas, service
from cloud.offer.file import yaml_text
from cloud.offer.plan import ChangeKind, OfferChange
from cloud.offer.service import ImportOffers
from cloud.offer.store import Author, OfferQuery
from cloud.upload import with_upload

router = APIRouter(prefix="/v1", tags=["offers"])
READ = [Depends(Requires(ITEM_READ))]
Writer = Annotated[Principal, Depends(Requires(PRICE_WRITE))]
FILE_BODY = {
    "requestBody": {
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "application/yaml": {"schema": {"type": "string"}},
        }
    }
}
YAML_TYPE = "application/yaml"


@router.post("/offers/import", response_model=schemas.OfferImport, openapi_extra=FILE_BODY)
async def import_offers(
    request: Request,
    context: ContextDep,
    principal: Writer,
    asked: Annotated[schemas.ImportQuery, Query()],
) -> Response:
    """Take over a document (`tillbox-offers/1`, JSON or YAML) as a whole.

    422 with every error's place otherwise, or with the findings that forbid it. `dry_run` only
    tells what would happen; `replace` ends all offers that the document does not name.
    """
    author = Author(principal.name, context.clock.now_ms(), asked.reason)
    done = await with_upload(
        request,
        lambda stream: service.import_offers(
            context.database, ImportOffers(stream, asked.replace, asked.dry_run), author
        ),
    )
    counts = Counter(change.kind for change in done.changes)
    return json_answer(
        {
            "is_dry": asked.dry_run,
            **{kind.value: counts[kind] for kind in ChangeKind},
            "changes": [_shown(each) for each in done.changes if each.is_change],
            "findings": [asdict(finding) for finding in done.findings],
        }
    )


@router.get("/offers", response_model=schemas.OfferPage, dependencies=READ)
def offers(context: ContextDep, asked: Annotated[schemas.OfferFilter, Query()]) -> Response:
    """Offers with what they say now, who said it, and whether stores have it."""
    query = OfferQuery(asked.q, asked.store, asked.state, asked.page, asked.size)
    found, total = service.offers(context.database, query)
    return json_answer({"offers": found, "total": total, "page": asked.page, "size": asked.size})


@router.get("/offers.json", dependencies=READ)
def export_json(context: ContextDep) -> Response:
    """Every active offer as a document that can be imported again."""
    return _file(json_answer(service.export(context.database)), "offers.json")


class YamlAnswer(Response):
    """A YAML document."""

    media_type = YAML_TYPE


AS_YAML: dict[int | str, dict[str, Any]] = {
    200: {"content": {YAML_TYPE: {"schema": {"type": "object"}}}}
}


@router.get("/offers.yaml", response_class=YamlAnswer, responses=AS_YAML, dependencies=READ)
def export_yaml(context: ContextDep) -> Response:
    """Every active offer as a YAML document that can be imported again."""
    return _file(YamlAnswer(yaml_text(service.export(context.database))), "offers.yaml")


# An id may hold any printable sign, a slash too.
@router.get("/offers/{offer_id:path}", response_model=schemas.OfferHistory, dependencies=READ)
def history(offer_id: str, context: ContextDep) -> Response:
    """An offer's versions, the newest first."""
    versions = service.history(context.database, offer_id)
    return json_answer({"offer_id": offer_id, "versions": versions})


@router.post("/offers/{offer_id:path}/end", response_model=schemas.Ended)
def end_offer(
    offer_id: str, body: schemas.EndRequest, context: ContextDep, principal: Writer
) -> Response:
    """End an offer; stores drop it with the next publication."""
    author = Author(principal.name, context.clock.now_ms(), body.reason)
    version = service.end_offer(context.database, offer_id, author)
    return json_answer({"offer_id": offer_id, "version": version})


def _shown(change: OfferChange) -> dict[str, Any]:
    before, after = change.before, change.after
    return {
        "offer_id": change.offer_id,
        "kind": change.kind.value,
        "version": after.version,
        "words": change.words,
        "before": before.document if before else None,
        "after": after.document,
        "stores_before": before.stores if before else None,
        "stores": after.stores,
    }


def _file(answer: Response, name: str) -> Response:
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
