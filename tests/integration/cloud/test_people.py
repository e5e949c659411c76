"""People of head office: second factors, sessions, users and roles, letters, single sign-on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from cloud import audit
from cloud.access import FRESH_MS
from cloud.db import Database
from cloud.identity import people, store
from cloud.identity.people import Machine, put_user
from cloud.identity.session_store import ADDRESS_LIMIT, HOUR_MS, USER_LIMITS, begin_try
from cloud.identity.totp import STEP_MS, code_at
from shared.kernel.errors import CorruptError, RefusedError
from tests.e2e.waiting import until
from tests.fakes.post_office import PostOffice
from tests.fakes.sign_in_service import CLIENT, SECRET, SignInService
from tests.lab.cloud_api import CloudApi, SettableClock

PASSWORD = "seven lanterns over the harbour"
OTHER = "violet anchors under the bridge"
HEADER = {"X-Tillbox": "1"}
THERE = {"X-Tillbox-Active": "1"}
"""What a console sends while somebody is at it."""


@pytest.fixture(scope="module")
def office() -> Iterator[PostOffice]:
    running = PostOffice().start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def service() -> Iterator[SignInService]:
    running = SignInService().start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def strict(
    database: Database,
    office: PostOffice,
    service: SignInService,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[CloudApi]:
    """The API as an installation has it: second factors asked for, mail and single sign-on."""
    changed = {
        "require_totp": True,
        "session_idle_min": 60,
        "smtp_host": "127.0.0.1",
        "smtp_port": office.port,
        "smtp_tls": "",
        "mail_from": "Tillbox <hq@example.com>",
        "oidc_issuer": service.issuer,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "oidc_label": "Example",
    }
    running = CloudApi(database.url, tmp_path_factory.mktemp("strict"), changed=changed).start()
    yield running
    running.stop()


@pytest.fixture
def clock(strict: CloudApi) -> Iterator[SettableClock]:
    clock = strict.clock
    assert isinstance(clock, SettableClock)
    yield clock
    clock.at_ms += 2 * 24 * HOUR_MS  # what is held against anybody is forgotten


def sign_in(client: httpx.Client, user: str, password: str = PASSWORD, code: str = "") -> Any:
    return client.post("/v1/session", json={"user": user, "password": password, "code": code})


def person(api: CloudApi, name: str, role: str, **known: str) -> httpx.Client:
    """A browser of a new user with that role, signed in by password."""
    put_user(api.context.database, name=name, display_name="", role=role, password=PASSWORD)
    for field, value in known.items():
        with api.context.database.begin() as connection:
            statement = text(f"UPDATE app_user SET {field} = :value WHERE name = :name")  # noqa: S608
            connection.execute(statement, {"value": value, "name": name})
    browser = api.stranger()
    browser.headers.update(HEADER)
    sign_in(browser, name).raise_for_status()
    return browser


def enrolled(api: CloudApi, browser: httpx.Client) -> tuple[bytes, list[str]]:
    """Set up a second factor; the secret and the recovery codes."""
    browser.post("/v1/account/totp").raise_for_status()
    user = browser.get("/v1/session").json()["user"]
    secret = secret_of(api, user)
    answer = browser.put("/v1/account/totp", json={"code": code_of(api, secret)})
    return secret, answer.raise_for_status().json()["codes"]


def secret_of(api: CloudApi, user: str) -> bytes:
    identity: Any = api.context.people
    with api.context.database.begin() as connection:
        sealed = store.offered_totp(connection, user)
    assert sealed is not None
    return identity.parts.sealer.open(sealed, user)  # type: ignore[no-any-return]


def code_of(api: CloudApi, secret: bytes) -> str:
    return code_at(secret, api.clock.now_ms() // STEP_MS)


def administrator(api: CloudApi, name: str = "root") -> httpx.Client:
    browser = person(api, name, "admin")
    with api.context.database.begin() as connection:
        store.drop_totp(connection, name)
    enrolled(api, browser)
    return browser


def rows(api: CloudApi, what: str, subject: str) -> list[str]:
    statement = text("SELECT outcome FROM audit WHERE what = :what AND object = :subject")
    with api.context.database.begin() as connection:
        found = connection.execute(statement, {"what": what, "subject": subject})
        return [str(row[0]) for row in found]


def test_who_needs_a_second_factor_may_only_set_it_up(
    strict: CloudApi, clock: SettableClock
) -> None:
    browser = person(strict, "it1", "it")
    who = browser.get("/v1/session").json()
    assert (who["must_enrol"], who["permissions"]) == (True, [])
    refused = browser.get("/v1/stores")
    assert (refused.status_code, refused.json()["code"]) == (403, "session.enrol_totp")
    offer = browser.post("/v1/account/totp").json()
    assert offer["url"].startswith("otpauth://totp/Tillbox")
    assert offer["qr_path"].startswith("M0 0h1v1h-1z")
    wrong = browser.put("/v1/account/totp", json={"code": "000000"})
    assert wrong.json()["code"] == "totp.wrong_code"
    secret, codes = enrolled(strict, browser)
    assert browser.get("/v1/stores").status_code == 200
    assert (len(codes), len(set(codes))) == (10, 10)

    clock.at_ms += STEP_MS
    other = strict.stranger()
    asked = sign_in(other, "it1")
    assert (asked.status_code, asked.json()["code"]) == (401, "session.code_required")
    assert sign_in(other, "it1", code="000000").json()["code"] == "session.wrong_code"
    assert sign_in(other, "it1", code=code_of(strict, secret)).status_code == 200
    replayed = sign_in(other, "it1", code=code_of(strict, secret))
    assert replayed.json()["code"] == "session.wrong_code"
    assert sign_in(other, "it1", code=codes[0].upper()).status_code == 200
    assert sign_in(other, "it1", code=codes[0]).json()["code"] == "session.wrong_code"
    assert rows(strict, "totp.enrolled", "it1") == ["done"]


def test_a_secret_at_rest_is_sealed(strict: CloudApi, clock: SettableClock) -> None:
    browser = person(strict, "sealed", "it")
    secret, codes = enrolled(strict, browser)
    with strict.context.database.begin() as connection:
        dump = str(connection.execute(text("SELECT * FROM app_user")).all()) + str(
            connection.execute(text("SELECT * FROM app_recovery_code")).all()
        )
    assert str(secret)[2:-1] not in dump
    assert secret.hex() not in dump
    assert codes[0] not in dump


def test_signing_in_ends_the_session_that_the_browser_had(
    strict: CloudApi, clock: SettableClock
) -> None:
    browser = person(strict, "fixed", "reader")
    planted = browser.cookies["tb_console"]
    sign_in(browser, "fixed").raise_for_status()
    assert browser.cookies["tb_console"] != planted
    thief = strict.stranger()
    thief.headers["Authorization"] = f"Bearer {planted}"
    assert thief.get("/v1/session").status_code == 401
    thief.headers["Authorization"] = "Bearer chosen-by-somebody-else"
    assert thief.get("/v1/session").status_code == 401


def test_a_session_ends_when_it_is_not_used_and_after_its_hours(
    strict: CloudApi, clock: SettableClock
) -> None:
    browser = person(strict, "idle", "reader")
    for _ in range(3):
        clock.at_ms += 50 * 60_000
        assert browser.get("/v1/session", headers=THERE).status_code == 200
    clock.at_ms += 50 * 60_000
    assert browser.get("/v1/session").status_code == 200, "the page looks by itself"
    clock.at_ms += 11 * 60_000
    assert browser.get("/v1/session").status_code == 401, "which keeps nobody signed in"
    sign_in(browser, "idle")
    for _ in range(13):
        clock.at_ms += 55 * 60_000
        browser.get("/v1/session", headers=THERE)
    assert browser.get("/v1/session").status_code == 200
    clock.at_ms += 6 * 60_000
    assert browser.get("/v1/session").status_code == 401


def test_a_person_sees_and_ends_their_sessions(strict: CloudApi, clock: SettableClock) -> None:
    first = person(strict, "many", "reader")
    others = [strict.stranger() for _ in range(3)]
    for each in others:
        sign_in(each, "many").raise_for_status()
    listed = first.get("/v1/account").json()["sessions"]
    assert [row["is_own"] for row in listed].count(True) == 1
    assert len(listed) == 4
    session = next(row["session"] for row in listed if not row["is_own"])
    assert first.delete(f"/v1/account/sessions/{session}").status_code == 204
    assert sum(each.get("/v1/session").status_code == 200 for each in others) == 2
    assert first.delete("/v1/account/sessions").status_code == 204
    assert [each.get("/v1/session").status_code for each in others] == [401] * 3
    foreign = person(strict, "foreign", "reader").get("/v1/account").json()["sessions"][0]
    assert first.delete(f"/v1/account/sessions/{foreign['session']}").status_code == 404


def test_a_new_password_ends_the_other_sessions(strict: CloudApi, clock: SettableClock) -> None:
    browser = person(strict, "changer", "reader")
    other = strict.stranger()
    sign_in(other, "changer")
    refused = browser.put("/v1/account/password", json={"old": "wrong", "new": OTHER})
    assert refused.json()["code"] == "user.password_wrong"
    weak = browser.put("/v1/account/password", json={"old": PASSWORD, "new": "changer2026"})
    assert weak.json()["code"] == "user.password_guessable"
    good = browser.put("/v1/account/password", json={"old": PASSWORD, "new": OTHER})
    assert good.status_code == 204
    assert browser.get("/v1/session").status_code == 200
    assert other.get("/v1/session").status_code == 401
    assert sign_in(other, "changer").status_code == 401
    assert sign_in(other, "changer", OTHER).status_code == 200


def test_an_open_session_is_no_place_to_guess_the_password(
    strict: CloudApi, clock: SettableClock
) -> None:
    browser = person(strict, "found", "reader")
    body = {"old": "a guess", "new": OTHER}
    codes = [
        browser.put("/v1/account/password", json=body).json()["code"]
        for _ in range(USER_LIMITS[0].tries + 1)
    ]
    assert codes == ["user.password_wrong"] * USER_LIMITS[0].tries + ["session.too_many_tries"]
    proof = browser.post("/v1/session/confirm", json={"password": PASSWORD})
    assert proof.json()["code"] == "session.too_many_tries"


def test_guesses_by_many_at_once_are_no_way_around_the_limit(
    strict: CloudApi, clock: SettableClock
) -> None:
    put_user(strict.context.database, name="hunted", display_name="", role="it", password=PASSWORD)
    started = threading.Barrier(16)

    def guess(_: int) -> str:
        started.wait()
        return str(sign_in(strict.stranger(), "hunted", "wrong").json()["code"])

    with ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(guess, range(16)))
    assert codes.count("session.wrong_password") == USER_LIMITS[0].tries
    assert codes.count("session.too_many_tries") == 16 - USER_LIMITS[0].tries
    answer = sign_in(strict.stranger(), "hunted")
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (429, True)
    assert rows(strict, "session.refused", "hunted") == ["refused"] * USER_LIMITS[0].tries


def test_a_hundred_thousand_guesses_come_to_a_few_dozen_a_day(database: Database) -> None:
    at_ms, taken = 10**12, 0
    limits = [("user:slow", limit) for limit in USER_LIMITS]
    with database.begin() as connection:
        while at_ms < 10**12 + 24 * HOUR_MS:
            counted, wait_ms = begin_try(connection, limits, at_ms)
            taken += bool(counted)
            at_ms += wait_ms or 1
    assert taken == USER_LIMITS[1].tries
    assert 100_000 / taken > 4 * 365  # days


def test_one_address_that_tries_many_users_is_slowed_down(database: Database) -> None:
    with database.begin() as connection:
        answers = [
            begin_try(
                connection,
                [(f"user:n{number}", USER_LIMITS[0]), ("address:10.1.1.1", ADDRESS_LIMIT)],
                10**12,
            )[1]
            for number in range(ADDRESS_LIMIT.tries + 3)
        ]
    assert [wait > 0 for wait in answers] == [False] * ADDRESS_LIMIT.tries + [True] * 3


def test_an_invited_person_chooses_a_password_by_the_link(
    strict: CloudApi, clock: SettableClock, office: PostOffice
) -> None:
    root = administrator(strict, "inviter")
    body = {"user": "zoe", "name": "Zoe", "mail": "zoe@example.com", "role": "reader"}
    body["language"] = "zh-TW"
    assert root.post("/v1/users", json=body).json() == {"link": ""}
    until(lambda: office.links_to("zoe@example.com") != [], "a letter")
    assert office.letters[-1]["Subject"] == "Tillbox：設定您的密碼", "in the reader's language"
    token = office.links_to("zoe@example.com")[-1].partition("#")[2]
    stranger = strict.stranger()
    assert sign_in(stranger, "zoe", PASSWORD).status_code == 401
    weak = stranger.post("/v1/password-reset/finish", json={"token": token, "password": "zoe"})
    assert weak.json()["code"] == "user.password_short"
    good = {"token": token, "password": PASSWORD}
    assert stranger.post("/v1/password-reset/finish", json=good).status_code == 204
    again = stranger.post("/v1/password-reset/finish", json=good)
    assert again.json()["code"] == "user.link"
    assert sign_in(stranger, "zoe").json()["role"] == "reader"
    taken = root.post("/v1/users", json=body | {"user": "zoe2"})
    assert (taken.status_code, taken.json()["code"]) == (409, "user.mail_taken")


def test_a_forgotten_password_is_set_by_a_link_that_is_good_once_and_for_half_an_hour(
    strict: CloudApi, clock: SettableClock, office: PostOffice
) -> None:
    browser = person(strict, "lost", "reader", mail="lost@example.com")
    stranger = strict.stranger()
    answers = [
        stranger.post("/v1/password-reset", json={"user": user, "language": "en"})
        for user in ("lost", "nobody-at-all")
    ]
    assert [(answer.status_code, answer.content) for answer in answers] == [(202, b"")] * 2
    until(lambda: office.links_to("lost@example.com") != [], "a letter")
    first = office.links_to("lost@example.com")[-1].partition("#")[2]
    clock.at_ms += 31 * 60_000
    late = stranger.post("/v1/password-reset/finish", json={"token": first, "password": OTHER})
    assert late.json()["code"] == "user.link"
    stranger.post("/v1/password-reset", json={"user": "lost", "language": "en"})
    until(lambda: len(office.links_to("lost@example.com")) == 2, "a second letter")
    token = office.links_to("lost@example.com")[-1].partition("#")[2]
    done = stranger.post("/v1/password-reset/finish", json={"token": token, "password": OTHER})
    assert done.status_code == 204
    assert browser.get("/v1/session").status_code == 401
    assert sign_in(stranger, "lost", OTHER).status_code == 200
    letter = office.letters[-1]
    assert letter["Subject"] == "Tillbox: set a new password"
    assert OTHER not in letter.get_content()


def test_letters_to_one_person_and_from_one_address_are_few(
    strict: CloudApi, clock: SettableClock, office: PostOffice
) -> None:
    person(strict, "bombed", "reader", mail="bombed@example.com")
    stranger = strict.stranger()
    codes = [
        stranger.post("/v1/password-reset", json={"user": "bombed"}).status_code for _ in range(22)
    ]
    assert codes == [202] * 20 + [429] * 2
    until(lambda: len(office.links_to("bombed@example.com")) == 3, "three letters")


def test_what_is_dangerous_asks_for_the_password_again(
    strict: CloudApi, clock: SettableClock
) -> None:
    root = administrator(strict, "stale")
    clock.at_ms += FRESH_MS + 1
    body = {"permissions": ["item.read"]}
    asked = root.put("/v1/roles/night", json=body)
    assert (asked.status_code, asked.json()["code"]) == (403, "session.confirm")
    wrong = root.post("/v1/session/confirm", json={"password": "wrong", "code": ""})
    assert wrong.status_code == 401
    clock.at_ms += STEP_MS
    with strict.context.database.begin() as connection:
        user = store.find_user(connection, "stale")
    assert user is not None
    assert user.totp_sealed is not None
    identity: Any = strict.context.people
    secret = identity.parts.sealer.open(user.totp_sealed, "stale")
    proof = {"password": PASSWORD, "code": code_of(strict, secret)}
    assert root.post("/v1/session/confirm", json=proof).status_code == 204
    assert root.put("/v1/roles/night", json=body).status_code == 204


def test_a_role_is_made_changed_and_removed(strict: CloudApi, clock: SettableClock) -> None:
    root = administrator(strict, "roles")
    body = {"label": "Night", "permissions": ["report.read"], "needs_totp": False}
    assert root.put("/v1/roles/watch", json=body).status_code == 204
    watcher = person(strict, "watcher", "watch")
    assert watcher.get("/v1/session").json()["permissions"] == ["report.read"]
    assert watcher.get("/v1/reports/live").status_code == 200
    body["permissions"] = ["item.read"]
    assert root.put("/v1/roles/watch", json=body).status_code == 204
    assert watcher.get("/v1/session").status_code == 401  # may do other things: signs in again
    sign_in(watcher, "watcher")
    assert watcher.get("/v1/reports/live").json()["code"] == "permission.missing"
    used = root.delete("/v1/roles/watch")
    assert (used.status_code, used.json()["code"]) == (409, "role.in_use")
    moved = {"name": "W", "role": "reader"}
    assert root.put("/v1/users/watcher", json=moved).status_code == 204
    assert root.delete("/v1/roles/watch").status_code == 204
    unknown = root.put("/v1/roles/watch", json={"permissions": ["world.rule"]})
    assert unknown.json()["code"] == "role.permission"
    assert root.put("/v1/roles/admin", json=body).json()["code"] == "role.admin"
    told = root.get("/v1/audit", params={"q": "role.changed", "who": "roles"}).json()["rows"]
    assert told[0]["facts"]["before"]["permissions"] == ["report.read"]
    assert told[0]["facts"]["after"]["permissions"] == ["item.read"]


def test_nobody_gives_more_than_they_have(strict: CloudApi, clock: SettableClock) -> None:
    root = administrator(strict, "giver")
    body = {"permissions": ["user.read", "user.write"], "needs_totp": False}
    root.put("/v1/roles/helpdesk", json=body).raise_for_status()
    helper = person(strict, "helper", "helpdesk")
    up = helper.put("/v1/users/helper", json={"name": "", "role": "admin"})
    assert (up.status_code, up.json()["code"]) == (403, "role.beyond_own")
    for method, path in (
        ("POST", "/v1/users/giver/link"),
        ("DELETE", "/v1/users/giver/totp"),
        ("DELETE", "/v1/users/giver/sessions"),
    ):
        assert helper.request(method, path).json()["code"] == "role.beyond_own"
    wide = helper.put("/v1/roles/helpdesk", json={"permissions": ["user.write", "price.write"]})
    assert wide.json()["code"] == "role.beyond_own"
    down = helper.put("/v1/users/giver", json={"name": "", "role": "helpdesk"})
    assert down.json()["code"] == "role.beyond_own"


def test_the_last_administrator_stays(strict: CloudApi, clock: SettableClock) -> None:
    root = administrator(strict, "last")
    with strict.context.database.begin() as connection:
        connection.execute(text("UPDATE app_user SET state = 'disabled' WHERE name <> 'last'"))
    for change in ({"role": "reader"}, {"role": "admin", "is_active": False}):
        refused = root.put("/v1/users/last", json={"name": "", **change})
        assert (refused.status_code, refused.json()["code"]) == (409, "user.last_admin")
    with pytest.raises(RefusedError, match=r"user\.last_admin"):
        put_user(
            strict.context.database,
            name="last",
            display_name="",
            role="reader",
            password=PASSWORD,
        )
    helper = {"label": "", "permissions": ["user.read", "user.write"], "is_scoped": False}
    root.put("/v1/roles/helper", json=helper | {"needs_totp": False}).raise_for_status()
    person(strict, "helpful", "helper")
    helped = root.put("/v1/users/last", json={"name": "", "role": "helper"})
    assert helped.json()["code"] == "user.last_admin"  # a helper can make no administrator
    with strict.context.database.begin() as connection:
        connection.execute(text("UPDATE app_user SET state = 'disabled' WHERE name = 'helpful'"))
    people.put_machine(strict.context.database, clock, Machine("robot", "admin", 1), by="test")
    robot = root.put("/v1/users/last", json={"name": "", "role": "reader"})
    assert robot.json()["code"] == "user.last_admin"  # a machine can set no password


def test_an_area_manager_knows_of_their_own_stores_only(
    strict: CloudApi, clock: SettableClock
) -> None:
    root = administrator(strict, "areas")
    for number in (1, 2, 3):
        place = {"name": f"S{number}", "time_zone": "UTC", "currency": "CNY"}
        root.put(f"/v1/stores/area{number}", json=place).raise_for_status()
    with strict.context.database.begin() as connection:
        connection.execute(text("INSERT INTO store_group VALUES ('east', 'East', 0)"))
        values = "('east', 'area1'), ('east', 'area2')"
        connection.execute(text(f"INSERT INTO store_group_member VALUES {values}"))  # noqa: S608
    manager = person(strict, "eva", "area_manager")
    assert manager.get("/v1/stores").json() == {"stores": []}
    change = {"name": "Eva", "role": "area_manager", "store_groups": ["east"]}
    root.put("/v1/users/eva", json=change).raise_for_status()
    sign_in(manager, "eva").raise_for_status()
    seen = {row["store_id"] for row in manager.get("/v1/stores").json()["stores"]}
    assert seen == {"area1", "area2"}
    live = {row["store_id"] for row in manager.get("/v1/reports/live").json()["stores"]}
    assert live == {"area1", "area2"}
    assert manager.get("/v1/stores/area1/devices").status_code == 200
    for path in ("/v1/stores/area3/devices", "/v1/events", "/v1/fleet/alerts"):
        refused = manager.get(path)
        assert (refused.status_code, refused.json()["code"]) == (403, "permission.whole_chain")
    unknown = root.put("/v1/users/eva", json=change | {"store_groups": ["west"]})
    assert unknown.json()["code"] == "user.group"


def test_a_machine_has_a_token_and_no_password(strict: CloudApi, clock: SettableClock) -> None:
    database = strict.context.database
    token = people.put_machine(database, clock, Machine("inventory", "it", 30), by="test")
    robot = strict.stranger()
    robot.headers["Authorization"] = f"Bearer {token}"
    clock.at_ms += 20 * 24 * HOUR_MS
    assert robot.get("/v1/fleet/boxes").status_code == 200
    assert sign_in(strict.stranger(), "inventory", "").status_code in {401, 422}
    people.put_machine(database, clock, Machine("inventory", "it", 30), by="test")
    assert robot.get("/v1/fleet/boxes").status_code == 401
    person(strict, "somebody", "reader")
    with pytest.raises(RefusedError, match=r"user\.is_person"):
        people.put_machine(database, clock, Machine("somebody", "it", 30), by="test")


def test_a_disabled_user_is_out_at_once(strict: CloudApi, clock: SettableClock) -> None:
    root = administrator(strict, "disabler")
    browser = person(strict, "leaver", "reader")
    off = {"name": "", "role": "reader", "is_active": False}
    assert root.put("/v1/users/leaver", json=off).status_code == 204
    assert browser.get("/v1/session").status_code == 401
    assert sign_in(browser, "leaver").json()["code"] == "session.wrong_password"


def oidc_round(api: CloudApi, service: SignInService, browser: httpx.Client) -> httpx.Response:
    """Go to the service and come back."""
    service.now_s = api.clock.now_ms() // 1000
    start = browser.get("/v1/oidc/start")
    assert start.status_code == 303
    back = httpx.get(start.headers["location"])
    return browser.get(back.headers["location"])


def test_a_person_signs_in_through_the_service(
    strict: CloudApi, clock: SettableClock, service: SignInService
) -> None:
    person(strict, "sso", "it", mail="Sso@Example.com")
    service.person = {"sub": "42", "email": "sso@example.com", "email_verified": True}
    browser = strict.stranger()
    assert browser.get("/v1/sign-in").json() == {"oidc": "Example", "can_reset": True}
    assert oidc_round(strict, service, browser).headers["location"] == "/"
    who = browser.get("/v1/session").json()
    assert (who["user"], who["how"], who["must_enrol"]) == ("sso", "oidc", False)
    assert service.asked[-1]["code_challenge_method"] == "S256"
    service.person = {"sub": "42", "email": "renamed@example.com"}
    assert oidc_round(strict, service, strict.stranger()).headers["location"] == "/"


def test_an_account_that_gets_another_mail_address_is_its_old_owner_s_no_more(
    strict: CloudApi, clock: SettableClock, service: SignInService, office: PostOffice
) -> None:
    person(strict, "desk", "reader", mail="bob@example.com")
    service.person = {"sub": "bob", "email": "bob@example.com", "email_verified": True}
    bob = strict.stranger()
    assert oidc_round(strict, service, bob).headers["location"] == "/"
    strict.stranger().post("/v1/password-reset", json={"user": "desk", "language": "en"})
    until(lambda: office.links_to("bob@example.com") != [], "a letter")
    token = office.links_to("bob@example.com")[-1].partition("#")[2]
    admin = person(strict, "renamer", "admin")
    enrolled(strict, admin)
    body = {"name": "Desk", "mail": "carol@example.com", "role": "reader"}
    admin.put("/v1/users/desk", json=body).raise_for_status()
    assert bob.get("/v1/session").status_code == 401
    answer = oidc_round(strict, service, strict.stranger())
    assert answer.headers["location"] == "/?refused=oidc.unknown_user"
    late = strict.stranger().post(
        "/v1/password-reset/finish", json={"token": token, "password": OTHER}
    )
    assert late.json()["code"] == "user.link"
    service.person = {"sub": "carol", "email": "carol@example.com", "email_verified": True}
    assert oidc_round(strict, service, strict.stranger()).headers["location"] == "/"


@pytest.mark.parametrize(
    "wrong", ["nonce", "audience", "issuer", "expired", "unsigned", "shared_key", "key"]
)
def test_a_token_that_does_not_fit_lets_nobody_in(
    strict: CloudApi, clock: SettableClock, service: SignInService, wrong: str
) -> None:
    service.person = {"sub": "42", "email": "sso@example.com", "email_verified": True}
    service.wrong = wrong
    browser = strict.stranger()
    try:
        answer = oidc_round(strict, service, browser)
    finally:
        service.wrong = ""
    assert answer.headers["location"] == "/?refused=oidc.refused"
    assert browser.get("/v1/session").status_code == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "7", "email": "victim@example.com", "email_verified": False},
        {"sub": "7", "email": "victim@example.com"},
        {"sub": "8", "email": "nobody@example.com", "email_verified": True},
        {"sub": "9"},
    ],
)
def test_only_a_checked_address_of_a_user_counts(
    strict: CloudApi, clock: SettableClock, service: SignInService, claims: dict[str, Any]
) -> None:
    person(strict, "victim", "reader", mail="victim@example.com")
    service.person = claims
    answer = oidc_round(strict, service, strict.stranger())
    assert answer.headers["location"] == "/?refused=oidc.unknown_user"


def test_a_foreign_browser_cannot_finish_or_repeat_a_sign_in(
    strict: CloudApi, clock: SettableClock, service: SignInService
) -> None:
    person(strict, "sso2", "reader", mail="sso2@example.com")
    service.person = {"sub": "43", "email": "sso2@example.com", "email_verified": True}
    service.now_s = clock.at_ms // 1000
    browser = strict.stranger()
    back = httpx.get(browser.get("/v1/oidc/start").headers["location"]).headers["location"]
    foreign = strict.stranger().get(back)
    assert foreign.headers["location"] == "/?refused=oidc.refused"
    assert browser.get(back).headers["location"] == "/"
    assert browser.get(back).headers["location"] == "/?refused=oidc.refused"


def test_another_sites_page_can_neither_act_nor_sign_a_person_in(strict: CloudApi) -> None:
    body = {"user": "attacker", "password": PASSWORD}
    headers = {"Sec-Fetch-Site": "cross-site"}
    refused = strict.stranger().post("/v1/session", json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "request.cross_site")


def test_the_audit_log_tells_what_was_done_and_carried_away(
    strict: CloudApi, clock: SettableClock
) -> None:
    root = administrator(strict, "watched")
    place = {"name": "Seen", "time_zone": "UTC", "currency": "CNY"}
    root.put("/v1/stores/seen", json=place).raise_for_status()
    root.get("/v1/users.csv").raise_for_status()
    person(strict, "plain", "reader").put("/v1/stores/seen", json=place)
    page = root.get("/v1/audit", params={"limit": 3}).json()
    told = [(row["who"], row["what"], row["object"], row["outcome"]) for row in page["rows"]]
    assert told == [
        ("plain", "put_store", "store_id=seen", "refused"),
        ("plain", "session.opened", "plain", "done"),
        ("watched", "users_csv", "", "done"),
    ]
    older = root.get("/v1/audit", params={"limit": 1, "before": page["next_seq"]}).json()["rows"]
    assert (older[0]["what"], older[0]["permission"]) == ("put_store", "store.write")
    table = root.get("/v1/audit.csv", params={"who": "plain"}).text
    assert "put_store" in table
    assert PASSWORD not in root.get("/v1/audit.csv").text


def test_the_audit_log_only_grows_and_shows_what_was_tampered_with(database: Database) -> None:
    with database.begin() as connection:
        for number in range(3):
            audit.append(connection, audit.Event(number, "who", "tested", facts={"n": number}))
        count = audit.verify(connection)
        seq, head = audit.head(connection)
    assert seq == count
    for statement in ("UPDATE audit SET who = 'x'", "DELETE FROM audit", "TRUNCATE audit"):
        with pytest.raises(Exception, match="only grows"), database.begin() as connection:
            connection.execute(text(statement))
    assert tampered(database, "UPDATE audit SET who = 'x' WHERE seq = :last - 1") == ""
    cut = "DELETE FROM audit WHERE seq = :last"
    assert tampered(database, cut) == count - 1  # a cut end shows only beside a kept head
    assert tampered(database, cut, seq, head) == ""
    with database.begin() as connection:
        assert audit.verify(connection, seq=seq, hash_hex=head) == count


def tampered(database: Database, statement: str, seq: int = 0, head: str = "") -> int | str:
    """How many rows look right after it, "" when it shows; the log stays as it was."""
    with database.engine.connect() as connection, connection.begin() as transaction:
        connection.execute(text("ALTER TABLE audit DISABLE TRIGGER audit_only_grows"))
        last, _ = audit.head(connection)
        connection.execute(text(statement), {"last": last})
        try:
            return audit.verify(connection, seq=seq, hash_hex=head)
        except CorruptError:
            return ""
        finally:
            transaction.rollback()
