"""What people do with releases: hand in, approve, stop, take back; policy and guards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection

from cloud.context import Principal
from cloud.publication import engine, prompt
from cloud.publication.engine import PUBLICATION_LOCK, Publisher
from cloud.release import simulation_store, store
from cloud.release.guard import GuardSetting
from cloud.release.lookup import GUARDS, POLICY, find, guard_settings, may_approve, policy_of
from cloud.release.policy import Because, Policy, reasons
from cloud.release.preview import preview_of
from cloud.release.preview_store import change_rows
from cloud.release.state import NEEDS, VERBS, State, Verb
from cloud.release.steps import Doer, Step, finish, halt, pause, resume, roll_back, start_wave
from cloud.release.store import New, Release, Turn
from shared.kernel.errors import ForbiddenError, RefusedError
from shared.kernel.wall_clock import wall_clock_of
from shared.release.plan import AT_ONCE, Plan, whole

NO_RELEASE = 0
"""Number of the release that a draft would become, while its preview is made."""
PRICED = frozenset({"price", "offer"})
UNDO_REASON = "undo"


@dataclass(frozen=True, slots=True)
class Submit:
    """Hand in all drafts; `plan` None is the policy's, `starts_local` None: once approved."""

    note: str = ""
    starts_local: str | None = None
    plan: Plan | None = None
    approve: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A person who does something at an instant (UTC ms), and why."""

    principal: Principal
    at_ms: int
    reason: str = ""

    def doer(self) -> Doer:
        """As it is written down."""
        return Doer(self.at_ms, self.principal.name, self.reason)


Rows = list[tuple[str, ...]]


class _DraftOnlyError(Exception):
    """Ends the transaction of a draft's preview without a trace."""

    def __init__(self, told: dict[str, Any], rows: Rows) -> None:
        self.told = told
        self.rows = rows


def submit(publisher: Publisher, command: Submit, asked: Asked) -> int:
    """Freeze all drafts as a release; its number.

    Raises RefusedError `publication.nothing`, `release.plan_end`, `time.local`, and
    `release.second_person` where `approve` asks for more than the policy lets.
    """
    if command.starts_local:
        wall_clock_of(command.starts_local)

    def work(connection: Connection) -> int | None:
        prompt.publish_first(publisher, connection, asked.at_ms)
        release = _submit(publisher, connection, command, asked)
        if release is None:
            return None
        if command.approve:
            if not may_approve(connection, release, asked.principal):
                raise RefusedError("release.second_person", release_id=release.release_id)
            _approve(connection, release, asked)
        return release.release_id

    release_id = publisher.database.alone(PUBLICATION_LOCK, work)
    if release_id is None:
        raise RefusedError("publication.nothing")
    return release_id


def publish(publisher: Publisher, note: str, asked: Asked) -> tuple[int, int]:
    """All drafts to all stores at once, where the policy lets; (revision, stores).

    Raises RefusedError `publication.nothing`, `release.second_person` (nothing is frozen) or
    `release.conflict`.
    """

    def work(connection: Connection) -> tuple[int, int] | None:
        release = _submit(publisher, connection, Submit(note, plan=AT_ONCE), asked)
        if release is None:
            return None
        if not may_approve(connection, release, asked.principal):
            raise RefusedError("release.second_person", release_id=release.release_id)
        for conflict in engine.conflicts(connection, release.release_id):
            raise RefusedError("release.conflict", release_id=conflict.release_id)
        _approve(connection, release, asked)
        step = Step(publisher, connection, release, asked.doer())
        rev = start_wave(step, 0)
        finish(replace(step, release=replace(release, wave=0, state=State.ROLLING)))
        return rev, release.stores

    done = publisher.database.alone(PUBLICATION_LOCK, work)
    if done is None:
        raise RefusedError("publication.nothing")
    return done


def draft_preview(publisher: Publisher, now_ms: int) -> dict[str, Any]:
    """What a release of all drafts would change; nothing is kept of it."""
    return _draft(publisher, now_ms, with_rows=False).told


def draft_changes(publisher: Publisher, now_ms: int) -> Rows:
    """Every change of that release: scope, kind, key, old line, new line."""
    return _draft(publisher, now_ms, with_rows=True).rows


def _draft(publisher: Publisher, now_ms: int, *, with_rows: bool) -> _DraftOnlyError:
    def work(connection: Connection) -> None:
        frozen = engine.freeze(publisher, connection, NO_RELEASE, now_ms)
        if with_rows:
            raise _DraftOnlyError({}, list(change_rows(connection, NO_RELEASE)))
        rules = policy_of(connection)
        told, size = preview_of(connection, NO_RELEASE, frozen, now_ms)
        raise _DraftOnlyError({**told, **_needs_told(reasons(rules, size, rules.plan))}, [])

    try:
        publisher.database.alone(PUBLICATION_LOCK, work)
    except _DraftOnlyError as draft:
        return draft
    raise AssertionError("a preview of drafts leaves nothing")


def act(publisher: Publisher, release_id: int, verb: Verb, asked: Asked) -> int:
    """Do something with a release; the number of the release that shows it.

    That is another one where a finished release is taken back. Raises MissingError
    `release.unknown`, ForbiddenError `permission.missing`, RefusedError `release.state` or
    `release.second_person`, and what the publication refuses.
    """
    if NEEDS[verb] not in asked.principal.permissions:
        raise ForbiddenError("permission.missing", permission=NEEDS[verb])

    def work(connection: Connection) -> int:
        release = find(connection, release_id)
        if verb not in VERBS.get(release.state, ()):
            raise RefusedError("release.state", state=release.state.value, verb=verb.value)
        step = Step(publisher, connection, release, asked.doer())
        return _act(step, verb, asked)

    return publisher.database.alone(PUBLICATION_LOCK, work)


def set_policy(publisher: Publisher, policy: Policy, asked: Asked) -> None:
    """Let another policy count from now on; RefusedError `release.plan_end`."""
    whole(policy.plan)
    whole(policy.undo_plan)
    with publisher.database.begin() as connection:
        by, at_ms = asked.principal.name, asked.at_ms
        store.save_setting(connection, POLICY, asdict(policy), by, at_ms)


def set_guards(publisher: Publisher, changed: Sequence[GuardSetting], asked: Asked) -> None:
    """Set some guards; the others stay."""
    with publisher.database.begin() as connection:
        kept = {each.guard: each for each in guard_settings(connection)}
        kept |= {each.guard: each for each in changed}
        rows = [{**asdict(each), "guard": each.guard.value} for each in kept.values()]
        store.save_setting(connection, GUARDS, rows, asked.principal.name, asked.at_ms)


def _submit(
    publisher: Publisher, connection: Connection, command: Submit, asked: Asked
) -> Release | None:
    by, at_ms = asked.principal.name, asked.at_ms
    rules = policy_of(connection)
    plan = whole(command.plan or rules.plan)
    _check_places(connection, plan)
    new = New(by, at_ms, command.note, command.starts_local, plan)
    release_id = store.add(connection, new)
    frozen = engine.freeze(publisher, connection, release_id, at_ms)
    if not frozen.stores:  # what changes nothing is a draft no more, what reaches nobody is one
        engine.drop(publisher, connection, release_id, give_back=frozen.changes > 0)
        store.remove(connection, release_id)
        return None
    told, size = preview_of(connection, release_id, frozen, at_ms)
    because = reasons(rules, size, plan)
    content = {
        "changes": frozen.changes,
        "stores": frozen.stores,
        "by_kind": frozen.by_kind,
        "needs": because,
        "preview": {**told, **_needs_told(because)},
    }
    store.fill(connection, release_id, content)
    store.add_event(connection, release_id, asked.doer().event("submitted"))
    if PRICED & set(frozen.by_kind):
        simulation_store.ask(connection, release_id)
    return find(connection, release_id)


def _check_places(connection: Connection, plan: Plan) -> None:
    """A wave for a store or group that is not there would be empty, and nobody would notice."""
    named = {store_id for wave in plan for store_id in wave.stores or ()}
    for store_id in store.unknown_stores(connection, named):
        raise RefusedError("store.unknown", store_id=store_id[:40])
    groups = {wave.group for wave in plan if wave.group}
    for group_id in store.unknown_groups(connection, groups):
        raise RefusedError("group.unknown", group_id=group_id[:40])


def _needs_told(because: Sequence[Because]) -> dict[str, Any]:
    return {
        "needs_approval": bool(because),
        "approval_because": [each._asdict() for each in because],
    }


def _approve(connection: Connection, release: Release, asked: Asked) -> None:
    by, at_ms = asked.principal.name, asked.at_ms
    store.approve(connection, release.release_id, by, at_ms)
    is_alone = by == release.created_by and bool(release.needs_approval)
    event = asked.doer().event("approved", **({"alone": 1} if is_alone else {}))
    store.turn(connection, release.release_id, Turn(State.APPROVED), event)


def _act(step: Step, verb: Verb, asked: Asked) -> int:
    release, connection, doer = step.release, step.connection, step.doer
    release_id = release.release_id
    match verb:
        case Verb.APPROVE:
            if not may_approve(connection, release, asked.principal):
                raise RefusedError("release.second_person", release_id=release_id)
            _approve(connection, release, asked)
        case Verb.REJECT | Verb.CANCEL:
            engine.drop(step.publisher, connection, release_id, give_back=True)
            state = State.REJECTED if verb is Verb.REJECT else State.CANCELLED
            store.turn(connection, release_id, Turn(state), doer.event(state.value))
        case Verb.PAUSE:
            pause(step)
        case Verb.RESUME:
            resume(step)
        case Verb.ADVANCE:
            store.end_waves(connection, release_id, release.wave, doer.at_ms)
            store.add_event(connection, release_id, doer.event("advanced", n=release.wave))
        case Verb.HALT:
            halt(step, Turn(State.HALTED, "person", f"person:{doer.by}"), doer.event("halted"))
        case Verb.ROLL_BACK:
            return _undo(step) if release.state is State.DONE else _back(step)
    return release_id


def _back(step: Step) -> int:
    roll_back(step)
    return step.release.release_id


def _undo(step: Step) -> int:
    """A new release with the old content, by the policy's waves: going back asks nobody twice.

    RefusedError `release.conflict` while one does so already: a second would find nothing to do.
    """
    connection, release, doer = step.connection, step.release, step.doer
    under_way = store.undoing(connection, release.release_id)
    if under_way is not None:
        raise RefusedError("release.conflict", release_id=under_way)
    plan = policy_of(connection).undo_plan
    new = New(doer.by, doer.at_ms, release.note, None, plan, undoes=release.release_id)
    release_id = store.add(connection, new)
    frozen = engine.invert(step.publisher, connection, release_id, release.release_id, doer.at_ms)
    if not frozen.stores:
        raise RefusedError("release.superseded", release_id=release.release_id)
    told, _ = preview_of(connection, release_id, frozen, doer.at_ms)
    content = {
        "changes": frozen.changes,
        "stores": frozen.stores,
        "by_kind": frozen.by_kind,
        "needs": (),
        "preview": {**told, **_needs_told(())},
    }
    store.fill(connection, release_id, content)
    store.approve(connection, release_id, doer.by, doer.at_ms)
    event = doer.event(UNDO_REASON, undoes=release.release_id)
    store.turn(connection, release_id, Turn(State.APPROVED), event)
    event = doer.event("undone", by_release=release_id)
    store.add_event(connection, release.release_id, event)
    return release_id
