"""The runner: looks at every release in flight once a second and has it do what it does next.

Of all workers one runs at a time. Whatever it does is one transaction, after which the question
is asked anew: it may be killed at any point, and two that run side by side harm nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection

from cloud.publication import engine, prompt
from cloud.publication.engine import PUBLICATION_LOCK, Publisher
from cloud.publication.prune import prune
from cloud.release import facts_store, signal_store, store
from cloud.release.facts import facts_of, looks_of, view_of
from cloud.release.guard import TRIPPED, Look
from cloud.release.lookup import guard_settings
from cloud.release.move import Move, Wait, next_move
from cloud.release.state import OUT
from cloud.release.steps import Doer, Step, carry_out
from cloud.release.store import Release
from shared.kernel.clock import Clock
from shared.kernel.errors import RetailError

RUNNER_LOCK = 7_461_012
POLL_S = 1.0
RETRY_S = 2.0
STOP_S = 15.0
MOVES_AT_ONCE = 8
LOOK_MS = 2_000
RESTS = 15
"""What costs much is done seldom: after each question it rests so many times as long."""
REST_MS_MAX = 10_000
"""A question that only waited for its turn was not dear: guards have to look again."""
TROUBLE_MS = 10_000
PROMPT_RETRY_MS = 5_000
CLEAN_MS = 3_600_000
PRUNE_MS = 24 * CLEAN_MS

_log = structlog.get_logger("cloud.release")


@dataclass(slots=True)
class Runner:
    """Moves releases on; `tick` is one round."""

    publisher: Publisher
    clock: Clock
    carry: Callable[[Step, Move], None] = carry_out
    _look_at: dict[int, int] = field(default_factory=dict)
    _not_before: dict[int, int] = field(default_factory=dict)
    _cleaned_at: int = 0
    _prune_at: int = 0
    _prompt_at: int = 0

    def tick(self) -> None:
        """Every release does what it does next; one that cannot does not stop the others."""
        now_ms = self.clock.now_ms()
        with self.publisher.database.begin() as connection:
            engine.ripen(connection, now_ms)
            moving = store.moving(connection)
            if now_ms - self._cleaned_at >= CLEAN_MS:
                signal_store.drop_old(connection, now_ms)
                self._cleaned_at = now_ms
        self._send_prompt(now_ms)
        for release_id in moving:
            if self._not_before.get(release_id, 0) <= now_ms:
                self._move_on(release_id)
        self._tidy(now_ms)
        self._look_at = {each: self._look_at.get(each, 0) for each in moving}
        self._not_before = {each: self._not_before.get(each, 0) for each in moving}

    def _send_prompt(self, now_ms: int) -> None:
        """What waits for no release goes first; trouble with it stops no release."""
        if now_ms < self._prompt_at:
            return
        try:
            with self.publisher.database.begin() as connection:
                is_due = prompt.is_due(self.publisher, connection)
            if is_due:
                stores = prompt.publish(self.publisher, now_ms)
                _log.info("publication.prompt", stores=stores)
        except RetailError as error:
            self._prompt_at = now_ms + PROMPT_RETRY_MS
            _log.warning("publication.prompt_waiting", because=str(error))
        except Exception:  # noqa: BLE001 - the releases' guards must go on
            self._prompt_at = now_ms + PROMPT_RETRY_MS
            _log.exception("publication.prompt_broken")

    def _tidy(self, now_ms: int) -> None:
        if now_ms < self._prune_at:
            return
        is_due, self._prune_at = self._prune_at > 0, now_ms + PRUNE_MS
        if not is_due:  # not right after each start
            self._prune_at = now_ms + CLEAN_MS
            return
        gone = prune(self.publisher.database, self.publisher.objects, now_ms)
        _log.info("publication.pruned", objects=gone)

    def wake(self, release_id: int) -> None:
        """Something happened to a release: look at it with the next tick."""
        self._not_before.pop(release_id, None)

    def step(self, release_id: int) -> Move:
        """One move of one release; `Wait` when there is nothing to do."""
        with self.publisher.database.begin() as connection:
            release = store.find(connection, release_id)
            if release is None:
                return Wait("ended")
            if isinstance(self._next(connection, release, is_final=False), Wait):
                return Wait("nothing")
        return self.publisher.database.alone(
            PUBLICATION_LOCK, lambda connection: self._carry(connection, release_id)
        )

    def _carry(self, connection: Connection, release_id: int) -> Move:
        release = store.find(connection, release_id)
        assert release is not None
        self._look_at.pop(release_id, None)
        move = self._next(connection, release, is_final=True)
        if not isinstance(move, Wait):
            doer = Doer(self.clock.now_ms())
            self.carry(Step(self.publisher, connection, release, doer), move)
            _log.info("release.moved", release=release_id, move=type(move).__name__)
        return move

    def _next(self, connection: Connection, release: Release, *, is_final: bool) -> Move:
        now_ms, looks = self.clock.now_ms(), list[Look]()
        if release.state in OUT and self._look_at.get(release.release_id, 0) <= now_ms:
            began_ms = self.clock.mono_ms()
            looks = looks_of(connection, release, guard_settings(connection), now_ms)
            rest_ms = max(LOOK_MS, self._rest_ms(began_ms))
            self._look_at[release.release_id] = now_ms + rest_ms
            # What trips is written down with the halt: until then another look may see better.
            kept = looks if is_final else [each for each in looks if each.state != TRIPPED]
            facts_store.save_looks(connection, release.release_id, kept, now_ms)
        view = view_of(connection, release, now_ms)
        return next_move(view, facts_of(connection, release, view, looks, now_ms), now_ms)

    def _move_on(self, release_id: int) -> None:
        try:
            for _ in range(MOVES_AT_ONCE):
                began_ms = self.clock.mono_ms()
                if isinstance(self.step(release_id), Wait):
                    self._not_before[release_id] = self.clock.now_ms() + self._rest_ms(began_ms)
                    return
        except RetailError as error:
            _log.warning("release.waiting", release=release_id, because=str(error))
            self._note_trouble(release_id, error.code)
        except Exception:  # noqa: BLE001 - one that is broken must not stop the others' guards
            _log.exception("release.broken", release=release_id)
            self._note_trouble(release_id, "internal")

    def _rest_ms(self, began_ms: int) -> int:
        return min(REST_MS_MAX, RESTS * (self.clock.mono_ms() - began_ms))

    def _note_trouble(self, release_id: int, code: str) -> None:
        self._not_before[release_id] = self.clock.now_ms() + TROUBLE_MS
        with self.publisher.database.begin() as connection:
            store.note_trouble(connection, release_id, code)


class ReleaseThread:
    """Runs a runner while no other worker does; `start` and `stop` once each.

    `make` gives none on a machine without the key of headquarters: it is asked again.
    """

    def __init__(self, make: Callable[[], Runner | None]) -> None:
        self._make = make
        self._runner: Runner | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="releases", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the move that is under way; one that is cut off leaves nothing behind."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_S)
        if self._runner is not None:
            self._runner.publisher.database.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._runner = self._runner or self._make()
                if self._runner is not None:
                    self._attend(self._runner)
            except RetailError as error:
                _log.warning("release.waiting", because=str(error))
            except Exception:  # noqa: BLE001 - outermost loop of the runner: log and go on
                _log.exception("release.failed")
            self._stopping.wait(RETRY_S)

    def _attend(self, runner: Runner) -> None:
        database = runner.publisher.database
        with database.try_session_lock(RUNNER_LOCK) as is_held:
            if not is_held:
                return
            runner.tick()
            for notice in database.listen(store.CHANNEL, poll_s=POLL_S):
                if self._stopping.is_set():
                    return
                if notice is not None:
                    runner.wake(store.told_of(notice[1]))
                runner.tick()
