"""Whatever is sent to the box's address, it answers, and sells on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.edge.boxes import DAY
from tests.integration.edge.running_box import RunningBox, a_running_box
from tests.integration.fuzz import requests, status_of

COUNT = 150


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBox]:
    running = a_running_box(tmp_path_factory.mktemp("strange"))
    running.sign_in()
    running.post("/v1/day/open", {"business_date": DAY})
    yield running
    running.stop()


@pytest.mark.parametrize(("seed", "is_signed_in"), [(1, False), (2, True), (3, True)])
def test_strange_requests_are_answered(box: RunningBox, seed: int, *, is_signed_in: bool) -> None:
    paths = [each for each in box.get("/openapi.json")["paths"] if not each.endswith("/events")]
    bearer = box.token if is_signed_in else ""
    for request in requests(paths, seed, COUNT, bearer):
        assert status_of(box.url, request) < 500, request[:400]
    assert box.get("/healthz")["state"] == "ok"
