"""Whatever happens to releases, every store holds the base and what it was brought."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from cloud.archive.objects import URL_VALID_S, FileObjects
from cloud.db import Database
from cloud.deployment import bump_incarnation
from cloud.desired import GENS_SKIPPED, DesiredPart, desire_parts, renew
from cloud.publication import compile as compiler
from cloud.publication import engine, pieces
from cloud.publication import prune as prunes
from cloud.publication.content import records_at
from cloud.publication.engine import PUBLICATION_LOCK
from cloud.publication.prune import KEPT_MS, LARGE_KEPT_MS, prune
from cloud.signing import create_hq_key
from shared.kernel.errors import RefusedError
from shared.wire.message import NEXT_MAX
from tests.integration.cloud.engine_chain import Box, Content, EngineChain, line_of

ZONES = {"1": None, "2": "north", "3": "north"}
SCOPES = ("", "zone:north", "store-1", "store-2")
KEYS = ("a", "b", "c", "d")


@pytest.fixture(scope="module")
def chain(database: Database, tmp_path_factory: pytest.TempPathFactory) -> EngineChain:
    folder = tmp_path_factory.mktemp("engine")
    return EngineChain(database, FileObjects(folder / "objects"), create_hq_key(folder / "key"))


@pytest.fixture
def fresh(chain: EngineChain) -> EngineChain:
    chain.clear(ZONES)
    return chain


def scopes_of(store_id: str) -> set[str]:
    zone = ZONES[store_id]
    return {"", f"store-{store_id}"} | ({f"zone:{zone}"} if zone else set())


@dataclass
class Model:
    """What the stores should hold, kept the slow and simple way."""

    base: dict[tuple[str, str], int] = field(default_factory=dict)
    changes: dict[int, dict[tuple[str, str], int | None]] = field(default_factory=dict)
    active: dict[str, set[int]] = field(default_factory=lambda: {each: set() for each in ZONES})
    held: dict[str, dict[int, int]] = field(default_factory=lambda: {each: {} for each in ZONES})
    flying: set[int] = field(default_factory=set)
    begun: set[str] = field(default_factory=set)
    settled_by: dict[tuple[str, str], int] = field(default_factory=dict)

    def take_off(self, release_id: int) -> None:
        """A newer release that is settled counts; what says what is base already says nothing."""
        if release_id in self.flying:
            return
        waiting = [
            keys
            for other, keys in self.changes.items()
            if other < release_id and other not in self.flying
        ]
        self.changes[release_id] = {
            each: minor
            for each, minor in self.changes[release_id].items()
            if self.settled_by.get(each, 0) < release_id
            and (self.base.get(each) != minor or any(each in keys for keys in waiting))
        }
        self.flying.add(release_id)

    def content(self, store_id: str, releases: set[int]) -> Content:
        found: dict[tuple[str, str], int | None] = dict(self.base)
        for release_id in releases:
            found |= self.changes[release_id]
        return {
            key: line_of(key, minor)
            for (scope, key), minor in found.items()
            if minor is not None and scope in scopes_of(store_id)
        }

    def heads(self, store_id: str) -> list[tuple[int, Content]]:
        """Instant and content of what holds now and of what waits."""
        releases = set(self.active[store_id])
        found = [(0, self.content(store_id, releases))]
        for release_id, at_ms in sorted(self.held[store_id].items(), key=lambda each: each[1]):
            releases.add(release_id)
            found.append((at_ms, self.content(store_id, releases)))
        return found

    def out(self, release_id: int) -> set[str]:
        return {each for each in ZONES if release_id in {*self.active[each], *self.held[each]}}

    def ripen(self, now_ms: int) -> None:
        for store_id, held in self.held.items():
            for release_id in [each for each, at_ms in held.items() if at_ms <= now_ms]:
                self.active[store_id].add(release_id)
                del held[release_id]


def edits(draw: Random, number: int) -> dict[tuple[str, str], int | None]:
    """Prices with keys of their own in each scope, so that no store has one twice."""
    found = {}
    for _ in range(draw.randint(1, 3)):
        scope, key = draw.choice(SCOPES), draw.choice(KEYS)
        minor = None if draw.random() < 0.2 else 100 * number + draw.randint(0, 3)
        found[scope, f"{key}{scope}"] = minor
    return found


class Story:
    """One sequence of events, in the engine and in the model."""

    def __init__(self, chain: EngineChain, draw: Random) -> None:
        self.draw, self.chain, self.model = draw, chain, Model()
        self.boxes = {store_id: Box() for store_id in ZONES}

    def step(self) -> None:
        self.chain.at_ms += self.draw.randint(0, 30)
        self.model.ripen(self.chain.at_ms)
        self.chain.ripen()
        events = [self.freeze, self.freeze, self.bring, self.bring, self.bring, self.withdraw]
        self.draw.choice([*events, self.settle, self.drop])()

    def freeze(self) -> None:
        wanted = edits(self.draw, self.chain.releases + 1)
        release_id, frozen = self.chain.freeze(wanted)
        is_open = {each for changes in self.model.changes.values() for each in changes}
        changed = {
            each: minor
            for each, minor in wanted.items()
            if self.model.base.get(each) != minor or each in is_open
        }
        assert frozen.changes == len(changed)
        self.model.changes[release_id] = changed

    def bring(self) -> None:
        release_id = self._any(self.model.changes)
        if release_id is None:
            return
        is_now = self.draw.random() < 0.5
        at_ms = 0 if is_now else self.chain.at_ms + self.draw.randint(1, 90)
        stores = dict.fromkeys(self._some_stores(), at_ms)
        mine = self.model.changes[release_id]
        others = self.model.flying - {release_id}
        clash = any(mine.keys() & self.model.changes[each].keys() for each in others)
        new = [each for each in stores if each not in self.model.out(release_id)]
        full = any(len(self.model.held[each]) >= NEXT_MAX for each in new) and not is_now
        if release_id not in self.model.flying and clash:
            with pytest.raises(RefusedError, match=r"publication\.conflict"):
                self.chain.bring(release_id, stores)
        elif full:
            with pytest.raises(RefusedError, match=r"publication\.next_full"):
                self.chain.bring(release_id, stores)
        else:
            assert self.chain.bring(release_id, stores).stores == len(new)
            self.model.take_off(release_id)
            self.model.begun |= set(new)
            for each in new:
                if is_now:
                    self.model.active[each].add(release_id)
                else:
                    self.model.held[each][release_id] = at_ms

    def withdraw(self) -> None:
        release_id = self._any(self.model.flying)
        if release_id is None:
            return
        stores = self._some_stores()
        had = self.model.out(release_id) & set(stores)
        assert self.chain.withdraw(release_id, stores).stores == len(had)
        for each in had:
            self.model.active[each].discard(release_id)
            self.model.held[each].pop(release_id, None)

    def settle(self) -> None:
        release_id = self._any(self.model.flying)
        if release_id is None:
            return
        if any(release_id in held for held in self.model.held.values()):
            with pytest.raises(RefusedError, match=r"publication\.unsettled"):
                self.chain.settle(release_id)
            return
        reached = set(engine_reached(self.chain, release_id))
        self.chain.settle(release_id)
        self.model.begun |= reached
        for each in ZONES:
            self.model.active[each].discard(release_id)
        for key, minor in self.model.changes.pop(release_id).items():
            self.model.base.pop(key, None)
            self.model.settled_by[key] = max(release_id, self.model.settled_by.get(key, 0))
            if minor is not None:
                self.model.base[key] = minor
        self.model.flying.discard(release_id)

    def drop(self) -> None:
        release_id = self._any(self.model.changes)
        if release_id is None:
            return
        if self.model.out(release_id):
            with pytest.raises(RefusedError, match=r"publication\.still_out"):
                self.chain.drop(release_id)
            return
        self.chain.drop(release_id)
        self.model.flying.discard(release_id)
        del self.model.changes[release_id]

    def check(self) -> None:
        """Every box, however far behind, comes to what its store should hold now and later."""
        for store_id in ZONES:
            heads, wanted = self.chain.heads(store_id), self.model.heads(store_id)
            if store_id not in self.model.begun:
                assert heads == []
                continue
            assert [head.at_ms for head in heads[1:]] == [at_ms for at_ms, _ in wanted[1:]]
            for box in (Box(), self.boxes[store_id]):
                if box.rev and self.draw.random() < 0.5:
                    continue  # it was away
                for head, (_, content) in zip(heads, wanted, strict=True):
                    if head.rev >= box.rev:
                        self.chain.follow(box, head)
                        assert box.content == content

    def _any(self, releases: object) -> int | None:
        known = sorted(releases)  # type: ignore[call-overload]
        return self.draw.choice(known) if known else None

    def _some_stores(self) -> list[str]:
        return self.draw.sample(sorted(ZONES), self.draw.randint(1, len(ZONES)))


def engine_reached(chain: EngineChain, release_id: int) -> list[str]:
    with chain.database.begin() as connection:
        return engine.reached(connection, release_id)


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(draw=st.randoms())
def test_every_store_holds_the_fold_of_what_it_was_brought(
    chain: EngineChain, draw: Random
) -> None:
    chain.clear(ZONES)
    story = Story(chain, draw)
    for _ in range(16):
        story.step()
        story.check()


def held_by(chain: EngineChain, store_id: str) -> dict[str, bytes]:
    """What a new box of a store holds now."""
    box = Box()
    chain.follow(box, chain.heads(store_id)[0])
    return box.content


def test_a_release_that_waited_begins_from_what_was_settled_meanwhile(fresh: EngineChain) -> None:
    first, _ = fresh.freeze({("", "a"): 1})
    second, _ = fresh.freeze({("", "a"): 2})
    fresh.bring(first, {"1": 0})
    with fresh.database.begin() as connection:
        (conflict,) = engine.conflicts(connection, second)
    assert (conflict.release_id, conflict.keys) == (first, (("", "price", "a"),))
    fresh.settle(first)
    fresh.bring(second, {"1": 0})
    assert held_by(fresh, "1") == {"a": line_of("a", 2)}
    fresh.withdraw(second, {"1"})
    assert held_by(fresh, "1") == {"a": line_of("a", 1)}


def test_a_finished_release_is_undone_by_one_that_says_the_opposite(fresh: EngineChain) -> None:
    first, _ = fresh.freeze({("", "a"): 1, ("", "b"): 1})
    fresh.settle(first)
    second, _ = fresh.freeze({("", "a"): 2, ("", "b"): None, ("", "c"): 2})
    fresh.settle(second)
    assert set(held_by(fresh, "1")) == {"a", "c"}

    def undo(connection: Connection) -> engine.Frozen:
        return engine.invert(fresh.publisher, connection, 99, second, fresh.at_ms)

    assert fresh.database.alone(PUBLICATION_LOCK, undo).changes == 3
    fresh.settle(99)
    assert held_by(fresh, "1") == {"a": line_of("a", 1), "b": line_of("b", 1)}


def test_two_publishers_at_once_lose_nothing(fresh: EngineChain) -> None:
    first, _ = fresh.freeze({(scope, f"a{scope}"): 1 for scope in SCOPES})
    second, _ = fresh.freeze({(scope, f"b{scope}"): 2 for scope in SCOPES})
    with ThreadPoolExecutor(4) as pool:
        moves = [
            pool.submit(fresh.bring, release_id, {store_id: 0})
            for store_id in ZONES
            for release_id in (first, second, first)
        ]
        assert sum(move.result().stores for move in moves) == 6
    for store_id in ZONES:
        assert len(held_by(fresh, store_id)) == 2 * len(scopes_of(store_id) & set(SCOPES))
    fresh.settle(first)
    fresh.settle(second)
    assert held_by(fresh, "2").keys() == {"a", "b", "azone:north", "bzone:north"} | {
        "astore-2",
        "bstore-2",
    }


def test_a_move_that_is_cut_off_leaves_everything_as_it_was(fresh: EngineChain) -> None:
    first, _ = fresh.freeze({("", "a"): 1})
    fresh.bring(first, {"1": 0})
    second, _ = fresh.freeze({("", "b"): 2})
    before = fresh.heads("1")
    with fresh.database.engine.connect() as connection:  # the process ends before the commit
        moved = engine.bring(fresh.publisher, connection, second, {"1": 0, "2": 0}, fresh.act())
        assert moved.stores == 2
    assert (fresh.heads("1"), fresh.heads("2")) == (before, [])
    fresh.bring(second, {"1": 0})
    assert set(held_by(fresh, "1")) == {"a", "b"}


def test_numbers_that_clash_after_a_restore_do_no_harm(fresh: EngineChain) -> None:
    """The cloud lost revisions that a box has: the same numbers come again and mean others."""
    first, _ = fresh.freeze({("", "a"): 1})
    fresh.settle(first)
    later, _ = fresh.freeze({("", "d"): 4})
    fresh.bring(later, {"1": fresh.at_ms + 500})
    (now, waiting), box = fresh.heads("1"), Box()
    fresh.follow(box, waiting)
    bump_incarnation(fresh.database)
    second, _ = fresh.freeze({("", "b"): 2})
    fresh.bring(second, {"1": fresh.at_ms + 100})
    heads = fresh.heads("1")
    assert {head.inc for head in heads} != {now.inc}
    assert len({head.inc for head in heads}) == 1
    box.rev = heads[-1].rev  # it had come as far under the old life
    for head, wanted in zip(heads, ({"a"}, {"a", "b"}, {"a", "b", "d"}), strict=True):
        fresh.follow(box, head)
        assert set(box.content) == wanted


def test_a_store_that_changes_its_price_zone_gets_that_zones_records(fresh: EngineChain) -> None:
    first, _ = fresh.freeze({("zone:north", "n"): 1, ("", "a"): 1})
    fresh.settle(first)
    box = Box()
    fresh.follow(box, fresh.heads("2")[0])
    with fresh.database.begin() as connection:
        connection.execute(text("UPDATE store SET zone_id = NULL WHERE store_id = '2'"))
        connection.execute(text("UPDATE store SET zone_id = 'north' WHERE store_id = '1'"))
    second, frozen = fresh.freeze({})
    assert (frozen.changes, frozen.stores) == (0, ("1", "2"))
    fresh.settle(second)
    fresh.follow(box, fresh.heads("2")[0])
    assert set(box.content) == {"a"}
    assert set(held_by(fresh, "1")) == {"a", "n"}


def test_a_push_costs_what_it_changes(fresh: EngineChain) -> None:
    first, _ = fresh.freeze({("", f"item {number}"): number + 1 for number in range(3000)})
    fresh.settle(first)
    boxes = {store_id: Box() for store_id in ZONES}
    for store_id, box in boxes.items():
        fresh.follow(box, fresh.heads(store_id)[0])
        box.pieces = 0
    with fresh.database.begin() as connection:
        whole = sum(piece.size for piece in fresh.heads("1")[0].snapshots)
        connection.execute(text("DELETE FROM piece"))
    second, _ = fresh.freeze({("", "item 7"): 9, ("", "item 8"): None})
    fresh.settle(second)
    with fresh.database.begin() as connection:
        made = connection.execute(text("SELECT length(data) FROM piece")).scalars().all()
        kept = connection.execute(
            text(
                "SELECT max(n) FROM (SELECT count(*) AS n FROM zone_revision GROUP BY zone) counted"
            )
        ).scalar_one()
    assert len(made) == 1  # one object, shared by all stores
    assert made[0] < whole / 50
    assert kept <= 2
    for store_id, box in boxes.items():
        fresh.follow(box, fresh.heads(store_id)[0])
        assert box.pieces == 1
        assert len(box.content) == 2999


def test_what_a_store_sold_by_is_known_for_each_of_its_revisions(fresh: EngineChain) -> None:
    first, _ = fresh.freeze({("", "a"): 1, ("zone:north", "n"): 1})
    fresh.settle(first)
    second, _ = fresh.freeze({("", "a"): 2, ("store-2", "s"): 2})
    third, _ = fresh.freeze({("zone:north", "n"): None})
    seen = {head.rev: held_by(fresh, "2") for head in fresh.heads("2")}
    for move in (
        lambda: fresh.bring(second, {"2": 0}),
        lambda: fresh.bring(third, {"2": 0}),
        lambda: fresh.withdraw(second, {"2"}),
        lambda: fresh.settle(third),
        lambda: fresh.bring(second, {"2": 0}),
    ):
        move()
        seen[fresh.heads("2")[0].rev] = held_by(fresh, "2")
    fresh.settle(second)
    newest = max(seen)
    with fresh.database.begin() as connection:
        for rev, wanted in seen.items():
            if rev in {min(seen), newest}:  # brought again, so what was between is not told apart
                found = records_at(connection, "2", rev, [], ["price"])
                assert {key: line for (_, key), line in found.items()} == wanted
        some = records_at(connection, "2", newest, [("price", "a"), ("price", "z")])
    assert some == {("price", "a"): line_of("a", 2)}


def test_lines_of_an_older_database_are_learnt_from_what_was_published(fresh: EngineChain) -> None:
    first, _ = fresh.freeze({("", "a"): 1, ("store-1", "s"): 1})
    fresh.settle(first)
    with fresh.database.begin() as connection:
        for (data,) in connection.execute(text("SELECT data FROM piece")).all():
            fresh.publisher.objects.put(bytes(data))
        connection.execute(text("UPDATE record SET line = NULL"))
        connection.execute(text("DELETE FROM scope_sum"))
    second, _ = fresh.freeze({("", "b"): 2})
    with fresh.database.begin() as connection:
        connection.execute(text("UPDATE lineage SET scopes = ARRAY['']"))  # a snapshot is due
    fresh.settle(second)
    assert set(held_by(fresh, "1")) == {"a", "b", "s"}


def test_documents_of_a_new_life_are_newer_than_any_before(fresh: EngineChain) -> None:
    def documents(connection: Connection) -> list[tuple[int, object]]:
        found = connection.execute(text("SELECT gen, commands FROM desired"))
        return [(gen, commands) for gen, commands in found]

    command = {"id": "c", "kind": "self_test", "not_after": 9}
    with fresh.database.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO device (dev, store_id, secret_hash, journal_pub, status, hw_fp,
                                created_at_ms)
            VALUES ('d-1', '1', '', '', 'active', '', 0)""")
        )
        assert desire_parts(connection, DesiredPart.COMMANDS, {"d-1": [command]}, 5) == 1
        assert desire_parts(connection, DesiredPart.COMMANDS, {"d-1": [command]}, 6) == 0
        assert documents(connection) == [(1, [command])]
        renew(connection, "1-1")
        assert not renew(connection, "1-1")
        assert renew(connection, "1-2")
        assert documents(connection) == [(1 + GENS_SKIPPED, [command])]
        assert desire_parts(connection, DesiredPart.COMMANDS, {"d-1": None}, 7) == 1
        assert documents(connection) == [(2 + GENS_SKIPPED, None)]


def undo_of(chain: EngineChain, release_id: int, of_release: int) -> engine.Frozen:
    return chain.database.alone(
        PUBLICATION_LOCK,
        lambda connection: engine.invert(
            chain.publisher, connection, release_id, of_release, chain.at_ms
        ),
    )


def test_an_undone_release_leaves_what_others_changed_since(fresh: EngineChain) -> None:
    for edits_ in ({("", "a"): 1, ("", "b"): 1}, {("", "a"): 2, ("", "b"): 2}, {("", "a"): 3}):
        release_id, _ = fresh.freeze(edits_)
        fresh.settle(release_id)
    assert undo_of(fresh, 99, 2).changes == 1
    fresh.settle(99)
    assert held_by(fresh, "1") == {"a": line_of("a", 3), "b": line_of("b", 1)}


def test_an_undo_that_waited_leaves_what_it_waited_for(fresh: EngineChain) -> None:
    for edits_ in ({("", "a"): 1, ("", "b"): 1}, {("", "a"): 2, ("", "b"): 2}):
        release_id, _ = fresh.freeze(edits_)
        fresh.settle(release_id)
    third, _ = fresh.freeze({("", "a"): 3})
    fresh.bring(third, {"1": 0})
    undo_of(fresh, 99, 2)
    fresh.settle(third)
    fresh.settle(99)
    assert held_by(fresh, "1") == {"a": line_of("a", 3), "b": line_of("b", 1)}


@pytest.mark.parametrize("is_flying", [True, False])
def test_what_is_set_back_while_its_change_is_under_way_is_not_lost(
    fresh: EngineChain, *, is_flying: bool
) -> None:
    first, _ = fresh.freeze({("", "a"): 1})
    fresh.settle(first)
    second, _ = fresh.freeze({("", "a"): 2})
    if is_flying:
        fresh.bring(second, {"1": 0})
    back, frozen = fresh.freeze({("", "a"): 1})
    assert frozen.changes == 1
    for release_id in (second, back) if is_flying else (back, second):
        fresh.settle(release_id)
    assert held_by(fresh, "1") == {"a": line_of("a", 1)}


def test_a_release_that_is_let_go_late_does_not_bring_back_what_a_newer_one_replaced(
    fresh: EngineChain,
) -> None:
    old, _ = fresh.freeze({("", "a"): 1, ("", "b"): 1})
    new, _ = fresh.freeze({("", "a"): 2})
    fresh.settle(new)
    fresh.settle(old)
    assert held_by(fresh, "1") == {"a": line_of("a", 2), "b": line_of("b", 1)}


def test_what_no_manifest_names_is_let_go_and_every_box_still_comes_to_its_revision(
    fresh: EngineChain,
) -> None:
    first, _ = fresh.freeze({(scope, f"a{scope}"): 1 for scope in SCOPES})
    fresh.settle(first)
    box = Box()
    fresh.follow(box, fresh.heads("2")[0])
    second, _ = fresh.freeze({("", "b"): 2})
    fresh.bring(second, {"2": fresh.at_ms + 50})
    third, _ = fresh.freeze({("store-2", "c"): 3})
    fresh.settle(third)
    with fresh.database.begin() as connection:  # made for a revision that nothing leads to any more
        connection.execute(text("INSERT INTO piece VALUES (repeat('0', 64), 'old')"))
        statement = "INSERT INTO scope_snapshot VALUES ('', '0', repeat('0', 64), 3, 0)"
        connection.execute(text(statement))
    objects = fresh.publisher.objects
    gone = prune(fresh.database, objects, fresh.at_ms)
    assert (gone, prune(fresh.database, objects, fresh.at_ms)) == (
        2,
        0,
    )  # with that of an empty scope
    for had in (box, Box()):
        for head in fresh.heads("2"):
            fresh.follow(had, head)
    prune(fresh.database, objects, fresh.at_ms + KEPT_MS + 1)
    with fresh.database.begin() as connection:
        kept = connection.execute(text("SELECT DISTINCT release_id FROM release_change"))
        assert set(kept.scalars()) == {second, third}  # an open one, and what is newer


def test_large_objects_are_deleted_long_after_the_last_manifest_that_named_them(
    fresh: EngineChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "SMALL_BYTES_MAX", 16)  # all objects but empty ones are large
    monkeypatch.setattr(compiler, "DELTAS_MAX", 2)
    monkeypatch.setattr(prunes, "LARGE_AT_ONCE", 1)  # one run takes as many turns as it needs
    objects = fresh.publisher.objects
    before = set(objects.names())

    def large() -> set[str]:
        return set(objects.names()) - before

    def publish(minor: int) -> str:
        release_id, _ = fresh.freeze({("", "large"): minor})
        fresh.settle(release_id)
        fresh.at_ms += 1
        head = fresh.heads("2")[0]
        return (*head.snapshots, *head.deltas)[-1].sha256

    publish(-1)
    old = publish(1)
    for minor in range(2, 6):
        publish(minor)
    assert old in large()
    prune(fresh.database, objects, fresh.at_ms)
    fresh.at_ms += LARGE_KEPT_MS
    prune(fresh.database, objects, fresh.at_ms)
    assert old in large()  # what a box may be fetching, or an older database may name, stays
    again = publish(1)
    assert again == old
    fresh.at_ms += 1
    prune(fresh.database, objects, fresh.at_ms)
    assert old in large()  # it is named anew
    kept = large()
    for minor in range(2, 6):
        publish(-minor)
    prune(fresh.database, objects, fresh.at_ms)
    fresh.at_ms += LARGE_KEPT_MS + 1
    assert prune(fresh.database, objects, fresh.at_ms) > 1
    assert old in kept - large()
    for head in fresh.heads("2"):
        fresh.follow(Box(), head)
    assert LARGE_KEPT_MS > 1000 * URL_VALID_S


def test_which_stores_had_a_release_is_known_though_it_was_frozen_long_before(
    fresh: EngineChain,
) -> None:
    first, _ = fresh.freeze({("", "a"): 1})
    fresh.at_ms += engine.REMEMBERED_MS + 1
    fresh.settle(first)
    with fresh.database.begin() as connection:
        assert set(engine.having(connection, first)) == set(ZONES)
