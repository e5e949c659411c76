"""Whatever is sent to head office's address, it answers, and never with a fault of its own."""

from __future__ import annotations

import httpx
import pytest

from tests.integration.fuzz import requests, status_of
from tests.lab.cloud_api import CloudApi

COUNT = 150


@pytest.mark.parametrize(("seed", "is_signed_in"), [(1, False), (2, True), (3, True)])
def test_strange_requests_are_answered(
    api: CloudApi, admin: httpx.Client, seed: int, *, is_signed_in: bool
) -> None:
    paths = list(admin.get("/openapi.json").json()["paths"])
    # One of these requests signs out: each round has a session of its own.
    bearer = api.client().headers["Authorization"].removeprefix("Bearer ") if is_signed_in else ""
    for request in requests(paths, seed, COUNT, bearer):
        assert status_of(api.url, request) < 500, request[:400]
    assert api.client().get("/v1/session").status_code == 200
