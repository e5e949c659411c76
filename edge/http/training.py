"""The routes of the training page, on a box that only trains."""

from __future__ import annotations

from itertools import islice

from fastapi import APIRouter

from edge.clock import VirtualClock
from edge.device.wiring import Devices
from edge.replica.store import Replica
from edge.settings import Settings
from edge.texts import load_texts
from shared.kernel.clock import Clock

SAMPLES = 24
SAMPLES_LOOKED_AT = 500
"""Not every item of a chain's catalogue has a price in every store."""


def training_routers(
    settings: Settings, devices: Devices, replica: Replica, clock: Clock
) -> tuple[APIRouter, ...]:
    """The page with the virtual devices; none on a box that sells."""
    if not settings.training or devices.virtual is None:
        return ()
    from edge.device.virtual_api import (  # noqa: PLC0415 - not on a selling box
        SampleCode,
        TrainingDesk,
        virtual_router,
    )

    def samples() -> list[SampleCode]:
        revision = replica.active_revision()
        found = replica.first_items(SAMPLES_LOOKED_AT, revision) if revision else []
        priced = (item for item in found if replica.dated_prices(item.gtin, revision))
        return [SampleCode(item.gtin, item.name) for item in islice(priced, SAMPLES)]

    set_clock = clock.set_ms if isinstance(clock, VirtualClock) else None
    locale = settings.box.locale
    texts = {key: text for key, text in load_texts(locale).items() if key.startswith("virtual.")}
    desk = TrainingDesk(set_clock=set_clock, samples=samples, texts=texts, locale=locale)
    return (virtual_router(devices.virtual, desk),)
