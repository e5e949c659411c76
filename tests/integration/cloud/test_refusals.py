"""Somebody guesses at head office from a store; the store's box and its people work on."""

from __future__ import annotations

import httpx

from shared.kernel.refusals import BURST
from tests.lab.cloud_api import CloudApi

STORE, ELSEWHERE = {"X-Forwarded-For": "203.0.113.7"}, {"X-Forwarded-For": "198.51.100.1"}


def test_a_guesser_is_held_off_and_who_is_signed_in_at_the_same_address_is_not(
    api: CloudApi, admin: httpx.Client
) -> None:
    admin.get("/v1/stores", headers=STORE).raise_for_status()
    with api.stranger() as guesser:
        for _ in range(BURST + 1):
            guesser.get("/v1/stores", headers=STORE)
        held_off = guesser.get("/v1/stores", headers=STORE)
        assert (held_off.status_code, held_off.json()["code"]) == (429, "request.too_many_refused")
        assert held_off.headers["Retry-After"] == "1"
        assert held_off.headers["X-Content-Type-Options"] == "nosniff"
        made_up = {**STORE, "Authorization": "Bearer d-aaaaaaaaaaaaaaaa.guess"}
        assert guesser.get(f"/v1/objects/{'0' * 64}", headers=made_up).status_code == 429
        assert guesser.get("/v1/stores", headers=ELSEWHERE).status_code == 401
        assert guesser.get("/v1/stores").status_code == 401, "this machine's own programs"
    assert admin.get("/v1/stores", headers=STORE).status_code == 200
