"""PINs: what a check costs, and a box whose manager's PIN is guessed at 100,000 times.

The box runs as in a store, its operator sells meanwhile; the guesses come over eight connections.
"""

from __future__ import annotations

import http.client
import json
import statistics
import threading
import time
from collections import Counter
from pathlib import Path

from edge.staff.pins import hash_pin, matches
from shared.staff.pin import CHECK_MS_MAX
from tests.bench.catalogue import OPERATOR, PIN
from tests.bench.figure import Figure, percentile, spread
from tests.bench.lab_box import BUSINESS_DATE, LabBox
from tests.builders import a_gtin
from tests.lab.net import LOOPBACK

CHECKS = 15
PI_FACTOR = 4
"""A core of a Raspberry Pi 4 takes about so many times as long as one of this machine."""
GUESSES = 100_000
GUESSERS = 8
LOOKED_AT_MAX = 12
REFUSALS = {"session.bad_pin", "session.locked_out", "session.busy"}
SCAN_MS_MAX = 100.0
ITEMS = 20


def measure(folder: Path) -> list[Figure]:
    """The check alone, then the flood."""
    return [_check(), *_flood(LabBox(folder, ITEMS).prepare())]


def _check() -> Figure:
    kept = hash_pin(PIN)
    took = []
    for _ in range(CHECKS):
        began = time.process_time()  # what others do on this machine is not its cost
        assert matches(kept, PIN)
        took.append((time.process_time() - began) * 1000)
    middle = statistics.median(took)
    return Figure(
        f"PIN check, times {PI_FACTOR} for a core of a Raspberry Pi 4",
        "ms",
        middle * PI_FACTOR,
        CHECK_MS_MAX,
        middle,
        "the same on this machine",
        spread(took, "ms"),
    )


class _Till:
    """One kept connection to the box."""

    def __init__(self, box: LabBox) -> None:
        self._line = http.client.HTTPConnection(LOOPBACK, box.port, timeout=60)
        self._keys = 0
        self.token = ""

    def post(self, path: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
        self._keys += 1
        headers = {"Content-Type": "application/json"}
        headers["Idempotency-Key"] = f"{id(self)}-{self._keys}"
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        self._line.request("POST", path, json.dumps(body), headers)
        answer = self._line.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")


def _flood(box: LabBox) -> list[Figure]:
    box.start()
    try:
        till = _Till(box)
        _, told = till.post("/v1/lanes/1/session", {"operator": OPERATOR, "pin": PIN})
        till.token = str(told["token"])
        till.post("/v1/day/open", {"business_date": BUSINESS_DATE})
        calm = [_scan(till) for _ in range(50)]
        codes = [dict[str, int]() for _ in range(GUESSERS)]
        threads = [
            threading.Thread(target=_guess, args=(box, codes[number])) for number in range(GUESSERS)
        ]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        flooded = []
        while any(thread.is_alive() for thread in threads):
            flooded.append(_scan(till))
            time.sleep(0.05)
        took_s = time.perf_counter() - began
    finally:
        box.process.stop()
    answers: Counter[str] = Counter()
    for each in codes:
        answers.update(each)
    assert set(answers) <= REFUSALS, answers
    return [
        Figure(
            f"wrong PINs that were looked at, of {GUESSES:,} guesses",
            "PINs",
            answers["session.bad_pin"],
            LOOKED_AT_MAX,
            GUESSES,
            "guesses",
            f"{GUESSES / took_s:,.0f} guesses/s for {took_s:.0f} s",
        ),
        Figure(
            "scan -> answer while PINs are guessed at, p99",
            "ms",
            percentile(flooded, 0.99),
            SCAN_MS_MAX,
            percentile(calm, 0.99),
            "the same while nobody guesses",
            spread(flooded, "ms"),
        ),
    ]


def _guess(box: LabBox, codes: dict[str, int]) -> None:
    line = _Till(box)
    for number in range(GUESSES // GUESSERS):
        body: dict[str, object] = {"operator": OPERATOR, "pin": f"{number % 10_000:04}"}
        _, told = line.post("/v1/lanes/1/session", body)
        code = str(told.get("code", "in"))
        codes[code] = codes.get(code, 0) + 1


def _scan(till: _Till) -> float:
    return _ms(lambda: till.post("/v1/lanes/1/scans", {"code": a_gtin(1)}))


def _ms(work: object) -> float:
    assert callable(work)
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
