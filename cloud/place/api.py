"""Zones, groups, places and categories over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Response

from cloud.access import ITEM_READ, ITEM_WRITE, STORE_WRITE, ContextDep, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.context import Context, Principal
from cloud.place import schemas, service
from cloud.place.service import PutPlaces
from cloud.place.store import Author, Category, Group, Zone
from shared.config.value import LANGUAGES

router = APIRouter(prefix="/v1", tags=["places"])
READ = [Depends(Requires(ITEM_READ))]
StoreWriter = Annotated[Principal, Depends(Requires(STORE_WRITE))]
ItemWriter = Annotated[Principal, Depends(Requires(ITEM_WRITE))]
Reason = Annotated[str, Query(max_length=200)]
EVENT_COLUMNS = ("at_ms", "by", "reason", "kind", "subject", "before", "after")


def author_of(context: Context, principal: Principal, reason: str) -> Author:
    """Who changes a master now."""
    return Author(principal.name, context.clock.now_ms(), reason)


@router.get("/zones", response_model=schemas.Zones, dependencies=READ)
def zones(context: ContextDep) -> Response:
    """Every price zone, by id."""
    return json_answer({"zones": list(map(asdict, service.zones(context.database)))})


@router.get("/zones.csv", response_class=CsvAnswer, dependencies=READ)
def zones_csv(context: ContextDep) -> Response:
    """The same as a table."""
    rows = service.zones(context.database)
    return _table(("zone_id", "name", "stores"), map(asdict, rows), "zones.csv")


@router.put("/zones/{zone_id}", status_code=204)
def put_zone(
    zone_id: str, body: schemas.ZoneChange, context: ContextDep, principal: StoreWriter
) -> Response:
    """Add or rename a price zone."""
    author = author_of(context, principal, body.reason)
    service.put_zone(context.database, Zone(zone_id, body.name.strip()), author)
    return Response(status_code=204)


@router.delete("/zones/{zone_id}", status_code=204)
def drop_zone(
    zone_id: str, context: ContextDep, principal: StoreWriter, reason: Reason = ""
) -> Response:
    """Forget a price zone that no store, price or setting names."""
    service.drop_zone(context.database, zone_id, author_of(context, principal, reason))
    return Response(status_code=204)


@router.get("/groups", response_model=schemas.Groups, dependencies=READ)
def groups(context: ContextDep) -> Response:
    """Every store group with its stores, by id."""
    return json_answer({"groups": list(map(asdict, service.groups(context.database)))})


@router.get("/groups.csv", response_class=CsvAnswer, dependencies=READ)
def groups_csv(context: ContextDep) -> Response:
    """One row per group and store."""
    rows = (
        {**asdict(group), "store_id": store_id}
        for group in service.groups(context.database)
        for store_id in group.store_ids or ("",)
    )
    return _table(("group_id", "name", "rank", "store_id"), rows, "groups.csv")


@router.put("/groups/{group_id}", status_code=204)
def put_group(
    group_id: str, body: schemas.GroupChange, context: ContextDep, principal: StoreWriter
) -> Response:
    """Add or replace a store group."""
    group = Group(group_id, body.name.strip(), body.rank, tuple(body.store_ids))
    service.put_group(context.database, group, author_of(context, principal, body.reason))
    return Response(status_code=204)


@router.delete("/groups/{group_id}", status_code=204)
def drop_group(
    group_id: str, context: ContextDep, principal: StoreWriter, reason: Reason = ""
) -> Response:
    """Forget a store group; what it set up ends with the next release."""
    service.drop_group(context.database, group_id, author_of(context, principal, reason))
    return Response(status_code=204)


@router.get("/places", response_model=schemas.Places, dependencies=READ)
def places(context: ContextDep) -> Response:
    """Every store with its zone, groups and attributes."""
    return json_answer({"places": list(map(asdict, service.places(context.database)))})


@router.get("/places.csv", response_class=CsvAnswer, dependencies=READ)
def places_csv(context: ContextDep) -> Response:
    """The same as a table."""
    columns = ("store_id", "name", "time_zone", "zone_id", "group_ids", "attributes")
    rows = (
        {**asdict(place), "group_ids": " ".join(place.group_ids)}
        for place in service.places(context.database)
    )
    return _table(columns, rows, "places.csv")


@router.put("/places", response_model=schemas.Changed)
def put_places(body: schemas.PlacesChange, context: ContextDep, principal: StoreWriter) -> Response:
    """Put stores into a price zone; they sell by its prices from the next release on."""
    command = PutPlaces(tuple(body.store_ids), body.zone_id, body.attributes)
    author = author_of(context, principal, body.reason)
    return json_answer({"changed": service.put_places(context.database, command, author)})


@router.get("/categories", response_model=schemas.Categories, dependencies=READ)
def categories(context: ContextDep) -> Response:
    """Every category, by id."""
    rows = list(map(asdict, service.categories(context.database)))
    return json_answer({"categories": rows})


@router.get("/categories.csv", response_class=CsvAnswer, dependencies=READ)
def categories_csv(context: ContextDep) -> Response:
    """The same as a table, one column per language."""
    rows = (
        {**asdict(each), **{name: each.names.get(name, "") for name in LANGUAGES}}
        for each in service.categories(context.database)
    )
    return _table(("category_id", "parent_id", *LANGUAGES), rows, "categories.csv")


@router.put("/categories/{category_id:path}", status_code=204)
def put_category(
    category_id: str, body: schemas.CategoryChange, context: ContextDep, principal: ItemWriter
) -> Response:
    """Add or replace a category."""
    names = {language: name.strip() for language, name in body.names.items() if name.strip()}
    author = author_of(context, principal, body.reason)
    service.put_category(
        context.database, Category(category_id, body.parent_id or None, names), author
    )
    return Response(status_code=204)


@router.delete("/categories/{category_id:path}", status_code=204)
def drop_category(
    category_id: str, context: ContextDep, principal: ItemWriter, reason: Reason = ""
) -> Response:
    """Forget a category that has none below it."""
    service.drop_category(context.database, category_id, author_of(context, principal, reason))
    return Response(status_code=204)


@router.get("/master-events", response_model=schemas.MasterEvents, dependencies=READ)
def master_events(
    context: ContextDep,
    kind: Annotated[str, Query(max_length=20)] = "",
    subject: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Who changed zones, groups, places, categories and operators, the newest first."""
    return json_answer({"events": service.events(context.database, kind, subject)})


@router.get("/master-events.csv", response_class=CsvAnswer, dependencies=READ)
def master_events_csv(
    context: ContextDep,
    kind: Annotated[str, Query(max_length=20)] = "",
    subject: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """The same as a table."""
    rows = service.events(context.database, kind, subject)
    return _table(EVENT_COLUMNS, rows, "master-events.csv")


def _table(columns: Sequence[str], rows: Iterable[dict[str, Any]], name: str) -> Response:
    cells = ([cell_of(row[column]) for column in columns] for row in rows)
    return CsvAnswer.of_rows(columns, cells, name)


def cell_of(value: object) -> object:
    """A cell of a table: nothing for null, JSON for what has parts."""
    if value is None:
        return ""
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value
