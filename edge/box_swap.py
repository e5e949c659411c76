"""`tillbox-edge swap`: a new box into a dead one's place, step by step, until it can sell.

Nothing of the old box is used again: the new one has keys, a device id and a journal of its own.
Head office tells it which day is open and where the old journals stand; prices come as to any new
box; what only the old card knew is handed in under the old journal's own name.  Each step may be
done again, so the command goes on where it was broken off.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.backup.cli import open_backup
from edge.backup.put_back import put_back
from edge.clock import SystemClock
from edge.copy.cli import salvage
from edge.copy.progress import ProgressLine
from edge.copy.verify import heads_of
from edge.identity import IDENTITY_FILE, Identity, load_identity, write_secret
from edge.journal.life_files import life_numbers
from edge.own_page import ask_own, own_url
from edge.settings import load_settings
from edge.sync.enrol import enrol
from edge.sync.trust import claim_of, first_trust
from shared.kernel.canonical import sha256
from shared.kernel.errors import RefusedError, UnavailableError
from shared.wire.claim import Claim

SWAP_FILE, OLD_FOLDER, UNIT = "swap.json", "old-box", "tillbox-edge.service"
START_S = 60
_LOOK_S, _ANSWER_S = 0.5, 3.0
Health = Callable[[], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How the command waits for the box: what it says of itself, and for how long (seconds)."""

    health: Health
    url: str
    start_s: float
    prices_s: float
    pause: Callable[[float], None]
    mono_ms: Callable[[], int]


def swap(options: Namespace) -> int:
    """Do all steps; see `tillbox-edge swap --help`."""
    clock = SystemClock()
    began_ms = clock.mono_ms()
    data: Path = options.data
    claim = claim_of(options.claim, options.cloud, options.token)
    refuse_used(data, claim.token)
    old = _old_settings(options, data)
    identity = _enrolled(claim, options.ca, data)
    _say(_identity_words(identity))
    _start(options.start)
    facts = wait_until_ready(_waiting(options, clock))
    _say(_ready_words(facts, (clock.mono_ms() - began_ms) / 1000))
    return _hand_in(options, old)


def refuse_used(data: Path, token: str) -> None:
    """RefusedError `swap.not_new` for a box that has traded, unless by this very command."""
    mine = sha256(token.encode()).hex()
    with suppress(OSError, ValueError, KeyError, TypeError):
        if json.loads((data / SWAP_FILE).read_text(encoding="utf-8"))["token_sha256"] == mine:
            return
    if (data / IDENTITY_FILE).exists() or life_numbers(data / "journal.db"):
        raise RefusedError("swap.not_new", path=str(data))
    write_secret(data / SWAP_FILE, json.dumps({"token_sha256": mine}).encode())


def wait_until_ready(waiting: Waiting) -> dict[str, Any]:
    """What the box says of itself once it has prices to sell by.

    UnavailableError `swap.not_started` or `swap.no_prices`.
    """
    began_ms = waiting.mono_ms()
    facts: dict[str, Any] | None = None
    line = ProgressLine(sys.stderr, "seconds: waiting for prices")
    with closing(line):
        while True:
            facts = waiting.health() or facts
            if facts is not None and facts.get("active_revision"):
                return facts
            waited_s = (waiting.mono_ms() - began_ms) / 1000
            if facts is None and waited_s >= waiting.start_s:
                raise UnavailableError("swap.not_started", url=waiting.url)
            if waited_s >= waiting.prices_s:
                raise UnavailableError("swap.no_prices", wait_s=int(waiting.prices_s))
            line.show(int(waited_s), int(waiting.prices_s))
            waiting.pause(_LOOK_S)


def _old_settings(options: Namespace, data: Path) -> Path | None:
    """What a person had set up on the old box, from its backup; where its journal lies now."""
    if options.backup is None:
        return None
    if options.key is None:
        raise RefusedError("swap.backup_key")
    old = data / OLD_FOLDER
    if not old.exists() or not (data / IDENTITY_FILE).exists():
        # What an earlier try unpacked says nothing of whether its settings were put back.
        shutil.rmtree(old, ignore_errors=True)
        unpacked = open_backup(options.backup, options.key, old, heads_of)
        files = put_back(unpacked, data).files
        _say(f"1. Settings of the old box: {', '.join(files) or 'none'}.")
    return old


def _enrolled(claim: Claim, ca_file: Path | None, data: Path) -> Identity:
    if (data / IDENTITY_FILE).exists() and life_numbers(data / "journal.db"):
        return load_identity(data)  # it runs already: this is the second try
    return enrol(data, claim.cloud_url, claim.token, first_trust(claim, ca_file))


def _start(command: str) -> None:
    """Start the box's service where there is one; else a person does it."""
    if command:
        subprocess.run(["setsid", "--fork", *shlex.split(command)], check=True)
        return
    with suppress(OSError):
        known = subprocess.run(["systemctl", "cat", UNIT], capture_output=True, check=False)
        if known.returncode == 0:
            subprocess.run(["systemctl", "enable", "--now", UNIT], check=False)
            return
    _say("   Start the box now, in another window: tillbox-edge run")


def _waiting(options: Namespace, clock: SystemClock) -> Waiting:
    url = own_url(load_settings(options.data))
    return Waiting(
        health=lambda: health_at(url),
        url=url,
        start_s=min(START_S, options.wait_s),
        prices_s=options.wait_s,
        pause=time.sleep,
        mono_ms=clock.mono_ms,
    )


def health_at(url: str) -> dict[str, Any] | None:
    """What a running box says of itself; None when none answers."""
    try:
        found = json.loads(ask_own(f"{url}/healthz", _ANSWER_S))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _hand_in(options: Namespace, old: Path | None) -> int:
    """Hand in what only the old box knew, from each copy that was named."""
    copies = [path for path in (options.old, old) if path is not None]
    if not copies:
        _say(_NO_COPY)
        return 0
    failed = 0
    for path in copies:
        _say(f"4. Handing in what head office lacks of {path}:")
        failed += salvage(Namespace(path=path, data=options.data, to=None))
    return 1 if failed else 0


_NO_COPY = """\
4. Sales that only the old box knew are not lost: till pages and a mirror stick hand them in by
   themselves; with the old card in a reader: tillbox-edge salvage FOLDER."""


def _identity_words(identity: Identity) -> str:
    old = ", ".join(dict.fromkeys(each.dev for each in identity.previous)) or "no other box"
    return (
        f"2. This box is {identity.dev} of store {identity.store_id}, {identity.store_name}."
        f" It takes the place of {old}."
    )


def _ready_words(facts: dict[str, Any], took_s: float) -> str:
    day = facts.get("business_date")
    shift = f"the day {day} goes on" if day else "open the day at a till"
    return (
        f"3. It sells: prices of revision {facts['active_revision']} are here, {shift}."
        f" {took_s:.0f} s since the command began."
    )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
