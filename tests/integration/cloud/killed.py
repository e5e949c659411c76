"""What a cloud's process does before it is killed (SIGKILL) inside its transaction.

The functions run in processes of their own, forked from one that has everything imported.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from cloud.access import PUBLICATION_PUBLISH, RELEASE_APPROVE
from cloud.archive.objects import FileObjects
from cloud.context import Principal
from cloud.db import Database
from cloud.publication.engine import Publisher
from cloud.release import service, store
from cloud.release.move import Move
from cloud.release.runner import Runner
from cloud.release.service import Asked, Submit
from cloud.release.state import Verb
from cloud.release.steps import Step, carry_out
from cloud.release_works import SOURCES
from cloud.signing import read_hq_key
from shared.release.plan import Plan
from tests.lab.cloud_api import SettableClock

PATIENCE_S = 120
PERSON = Principal("buyer", "Buyer", "buyer", frozenset({PUBLICATION_PUBLISH, RELEASE_APPROVE}))


@dataclass(frozen=True, slots=True)
class Place:
    """Where the cloud's things are, and the time of all."""

    database_url: str
    objects: Path
    key: Path
    at_ms: int

    def publisher(self) -> Publisher:
        objects, key = FileObjects(self.objects), read_hq_key(self.key)
        return Publisher(Database(self.database_url), objects, key, SOURCES)


def killed(deed: Callable[..., None], *arguments: Any) -> bool:
    """Do it in a process of its own; whether it died by SIGKILL."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=deed, args=arguments)
    process.start()
    process.join(PATIENCE_S)
    return process.exitcode == -signal.SIGKILL


def runner_moves(place: Place) -> None:
    """A worker's runner makes its next move."""

    def carry(step: Step, move: Move) -> None:
        carry_out(step, move)
        _die()

    Runner(place.publisher(), SettableClock(place.at_ms), carry=carry).tick()


def person_submits(place: Place, plan: Plan) -> None:
    """The API hands in what waits."""
    _die_at_the_end()
    service.submit(place.publisher(), Submit("killed", plan=plan), _asked(place))


def person_acts(place: Place, release_id: int, verb: str) -> None:
    """The API does something to a release."""
    _die_at_the_end()
    service.act(place.publisher(), release_id, Verb(verb), _asked(place))


def _asked(place: Place) -> Asked:
    return Asked(PERSON, place.at_ms, "killed")


def _die_at_the_end() -> None:
    """Whatever a person does is told to the consoles last."""
    store.tell = lambda *_: _die()


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("dead")
