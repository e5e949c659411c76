"""`make test-arm64`: a bare Debian for 64-bit ARM, as a Raspberry Pi has it, becomes a store box.

Every program of the box goes through an emulator, which takes some twenty times as long: a stage of
releases, and of changes of what a box installs or of how it is provisioned.
"""

from __future__ import annotations

import fcntl
import signal
import sys
import time

from tests.ansible.__main__ import tell
from tests.ansible.lab import OUT
from tests.arm64.lab import ArmLab
from tests.arm64.machine import emulation
from tests.arm64.story import ArmStory
from tests.lab.console import SetupError


def main(arguments: list[str]) -> int:
    """Run the story, or its first steps up to the one that is named; 0 when all of it is true."""
    began = time.monotonic()
    # Whoever ends a run that takes too long wants its machines gone as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    OUT.mkdir(parents=True, exist_ok=True)
    try:
        with (OUT / "arm64.lock").open("w") as held, emulation():
            fcntl.flock(held, fcntl.LOCK_EX)
            with ArmLab() as lab:
                ready_s = time.monotonic() - began
                return tell(ArmStory(lab), arguments[0] if arguments else "", ready_s)
    except SetupError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
