"""Shapes of the endpoints of zones, groups, places, categories and settings."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from shared.config.box import FieldKind


class Reasoned(BaseModel):
    """Why a master is changed; kept with it."""

    reason: str = Field(default="", max_length=200)


class ZoneChange(Reasoned):
    """A price zone as HQ wants it."""

    name: str = Field(min_length=1, max_length=80)


class ZoneRow(BaseModel):
    """Stores with the same prices, and how many they are."""

    zone_id: str
    name: str
    stores: int


class Zones(BaseModel):
    """Every price zone, by id."""

    zones: list[ZoneRow]


class GroupChange(Reasoned):
    """A group as HQ wants it; of two that set up the same for a store the higher rank counts."""

    name: str = Field(min_length=1, max_length=80)
    rank: int = Field(default=0, strict=True)
    store_ids: list[str] = Field(max_length=100_000)


class GroupRow(BaseModel):
    """Any stores under one name, such as a ring of a rollout."""

    group_id: str
    name: str
    rank: int
    store_ids: list[str]


class Groups(BaseModel):
    """Every group, by id."""

    groups: list[GroupRow]


class PlacesChange(Reasoned):
    """Stores that go into a zone (null: into none); `attributes` null leaves theirs."""

    store_ids: list[str] = Field(min_length=1, max_length=100_000)
    zone_id: str | None
    attributes: dict[str, str] | None = None


class PlaceRow(BaseModel):
    """A store with its zone and groups."""

    store_id: str
    name: str
    time_zone: str
    zone_id: str | None
    attributes: dict[str, str]
    group_ids: list[str]


class Places(BaseModel):
    """Every store, by id."""

    places: list[PlaceRow]


class Changed(BaseModel):
    """How many rows changed."""

    changed: int


class CategoryChange(Reasoned):
    """A category as HQ wants it; names by language."""

    parent_id: str | None = Field(default=None, max_length=80)
    names: dict[str, str]


class CategoryRow(BaseModel):
    """A category by the word that items bear."""

    category_id: str
    parent_id: str | None
    names: dict[str, str]


class Categories(BaseModel):
    """Every category, by id."""

    categories: list[CategoryRow]


class SettingChange(Reasoned):
    """What a place ("17", "zone:<id>", "group:<id>" or "chain") sets up from a time on.

    `name` is "payment", "rounding", "receipt", "tax/<class>" or "box/<field>". `from_local` is ""
    for always, or a time on each store's own clock, "2026-12-01T00:00". `value` null ends what the
    place said.
    """

    place: str = Field(max_length=80)
    name: str = Field(max_length=60)
    from_local: str = Field(default="", max_length=40)
    value: dict[str, Any] | None


class SettingRow(BaseModel):
    """One dated row of a setting; `is_draft`: it waits for a release."""

    place: str
    name: str
    from_local: str
    value: dict[str, Any] | None
    created_by: str
    created_at_ms: int
    reason: str
    is_draft: bool = False


class Settings(BaseModel):
    """Rows of settings."""

    settings: list[SettingRow]


class RoleChange(Reasoned):
    """What a role may do at the tills of a place from a time on; `value` null ends it there.

    `place` and `from_local` as of a setting. `value` is {"names", "grants", "ceilings", "approves",
    "badge", "pin_days", "pin_digits"}; what it leaves out is as the built-in role of that id has
    it, and denied for others.
    """

    place: str = Field(default="chain", max_length=80)
    from_local: str = Field(default="", max_length=40)
    value: dict[str, Any] | None


class RoleRow(BaseModel):
    """What a role may do at a place from a time on; `is_draft`: it waits for a release."""

    role_id: str
    place: str
    from_local: str
    value: dict[str, Any] | None
    is_built_in: bool
    created_by: str
    created_at_ms: int
    reason: str
    is_draft: bool


class Right(BaseModel):
    """A permission of the tills, and what of it is measured against a ceiling."""

    permission: str
    is_approvable: bool
    measures: list[str]


class Roles(BaseModel):
    """Every role as it stands, and the rights that it is about."""

    roles: list[RoleRow]
    rights: list[Right]


class RoleHistory(BaseModel):
    """Rows of roles, the newest first."""

    roles: list[RoleRow]


class BoxField(BaseModel):
    """A field of a box's own file that head office may set, as {"value": ...}.

    `kind` is choice, whole, flag, time ("HH:MM" or "") or numbers; `low` and `high` bound numbers.
    `is_live`: it counts without a restart of the box.
    """

    name: str
    kind: FieldKind
    low: int
    high: int
    choices: list[str]
    is_live: bool


class BoxFields(BaseModel):
    """All of them."""

    fields: list[BoxField]


class MasterEvent(BaseModel):
    """What became of one master; `before` null for a new one, `after` for one that is gone."""

    at_ms: int
    by: str
    reason: str
    kind: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class MasterEvents(BaseModel):
    """Changes, the newest first."""

    events: list[MasterEvent]
