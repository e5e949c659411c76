"""`tillbox-cloud fleet simulate`: thousands of light boxes against this installation."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from contextlib import closing
from pathlib import Path

from cloud.clock import SystemClock, monotonic_s
from cloud.commands.progress import ProgressBar
from cloud.commands.say import say
from cloud.compose import accounts_of
from cloud.db import database_of
from cloud.fleet.broker_accounts import MosquittoAccounts
from cloud.lightbox.crowd import CrowdSettings, Seen
from cloud.lightbox.processes import CrowdProcesses, running
from cloud.lightbox.service import Crowd, make_crowd
from cloud.publication.engine import welcome
from cloud.settings import Settings
from cloud.signing import read_hq_key
from shared.kernel.errors import UnavailableError

LOOK_S = 0.5
FILES_BESIDE = 200
"""Open files of a process beside its boxes' sockets."""


def simulate(settings: Settings, chosen: Namespace) -> None:
    """Make the stores, run their boxes until the time is over or Ctrl-C."""
    with closing(database_of(settings)) as database:
        crowd = make_crowd(
            database,
            chosen.stores,
            SystemClock().now_ms(),
            welcome,
            is_beside_real=chosen.beside_real_stores,
        )
    _admit(settings, crowd)
    _allow_files(crowd.count // chosen.processes + FILES_BESIDE)
    busy = CrowdSettings(
        cloud_url=settings.url(),
        broker=settings.device_broker(),
        hq_pub=read_hq_key(Path(settings.hq_key_file)).public_hex,
        sales_per_day=chosen.sales_per_day,
    )
    with running(crowd, busy, chosen.processes) as processes:
        seen = _watch(processes, chosen.minutes * 60.0)
    for name, count in sorted(seen.counts.items()):
        say(f"{name}\t{count}")


def _admit(settings: Settings, crowd: Crowd) -> None:
    """Let the boxes log in to the broker, all with one change of its file."""
    accounts = accounts_of(settings)
    if isinstance(accounts, MosquittoAccounts):
        boxes = (crowd.box(number) for number in range(1, crowd.count + 1))
        accounts.put_all({box.dev: box.secret for box in boxes})


def _allow_files(files: int) -> None:
    import resource  # noqa: PLC0415 - only this command needs it

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and files > most:
        raise UnavailableError("lightbox.files", needed=files, most=most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(files, 1024), most))


def _watch(processes: CrowdProcesses, seconds: float) -> Seen:
    bar = ProgressBar(sys.stderr, "boxes connected")
    began, seen = monotonic_s(), processes.seen()
    try:
        while monotonic_s() - began < seconds:
            if not processes.is_alive():
                raise UnavailableError("lightbox.process")
            seen = processes.seen()
            bar.show(seen.connected, processes.crowd.count)
            time.sleep(LOOK_S)
    except KeyboardInterrupt:
        pass
    finally:
        bar.close()
    return processes.seen()
