"""How set-up speaks to a person: one line per step, and one sentence when it cannot go on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

TAIL_LINES = 25
SYSTEM_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


class SetupError(Exception):
    """Set-up cannot go on; the text is one sentence that says what to do."""


def say(text: str) -> None:
    """Print one line at once, even into a pipe."""
    print(text, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print what starts, and how long it took once it is done."""
    say(f"  {title} ...")
    began = time.monotonic()
    yield
    say(f"    done in {time.monotonic() - began:.1f} s")


def trusting_environment() -> dict[str, str]:
    """Return this environment, with uv and Node trusting whom the machine trusts.

    Both bring a list of certificate authorities of their own, which knows no company's proxy.
    """
    environment = dict(os.environ)
    if SYSTEM_AUTHORITIES.is_file():
        environment.setdefault("UV_SYSTEM_CERTS", "1")
        environment.setdefault("NODE_EXTRA_CA_CERTS", str(SYSTEM_AUTHORITIES))
    return environment


def run_quietly(command: Sequence[str], *, cwd: Path, hint: str) -> None:
    """Run a command and show its output only when it fails.

    Raises SetupError with `hint` as its sentence.
    """
    done = subprocess.run(
        command,
        cwd=cwd,
        env=trusting_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return
    tail = done.stdout.splitlines()[-TAIL_LINES:]
    sys.stderr.write("\n".join(f"    | {line}" for line in tail) + "\n")
    raise SetupError(hint)
