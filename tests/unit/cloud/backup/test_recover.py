"""A restored server that never opens is waited for only so long."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import cast

import pytest

from cloud.backup.names import Base
from cloud.backup.programs import Programs, Server
from cloud.backup.recover import PATIENCE_MS, Recovery, _patience_ms, _wait_until_open
from cloud.backup.restore import Prepared
from cloud.db import Database
from shared.kernel.errors import UnavailableError
from tests.lab.cloud_api import SettableClock

SILENT = """#!/bin/sh
echo "still replaying"
exec sleep 60
"""


class NeverOpen:
    """A database that takes no connection yet."""

    def begin(self) -> AbstractContextManager[None]:
        raise UnavailableError("database.unavailable")


class Replaying:
    """A server that runs and does not open."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def check(self) -> None:
        """It has not ended."""


def test_one_that_replays_for_ever_is_given_up(tmp_path: Path) -> None:
    clock, began_ms = SettableClock(0), 0
    (tmp_path / "log").write_text("redo in progress")

    def wait(seconds: float) -> None:
        clock.at_ms += int(seconds * 1_000_000)

    recovery = Recovery(Programs(), "postgresql:///x", clock, wait)
    server = cast("Server", Replaying(tmp_path / "log"))
    with pytest.raises(UnavailableError, match=r"backup\.replay_stuck") as caught:
        _wait_until_open(recovery, cast("Database", NeverOpen()), server, PATIENCE_MS)
    assert caught.value.params["because"] == "redo in progress"
    assert clock.at_ms - began_ms > PATIENCE_MS


def test_the_more_there_is_to_replay_the_longer_it_is_waited_for() -> None:
    base = Base(0, 0, "000000010000000000000001")
    small = _patience_ms(Prepared(Path(), Path(), base, 0, 0, 0))
    large = _patience_ms(Prepared(Path(), Path(), base, 100 << 30, 1_000, 0))
    assert small == PATIENCE_MS
    assert large > small + 8 * 3_600_000


def test_a_program_that_opens_no_socket_is_stopped(tmp_path: Path) -> None:
    program = tmp_path / "postgres"
    program.write_text(SILENT)
    program.chmod(0o700)
    data = tmp_path / "data"
    data.mkdir()
    programs = Programs(str(tmp_path))
    with (
        pytest.raises(UnavailableError, match=r"backup\.server_failed"),
        programs.server(data, [], lambda _: None),
    ):
        pytest.fail("it never opened")
