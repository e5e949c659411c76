"""Finding scanners through the real libudev and evdev, with umockdev in place of a kernel."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.debian import find_program

ROOT = Path(__file__).resolve().parents[3]
WRAPPER = find_program("umockdev-wrapper")


@pytest.mark.skipif(WRAPPER is None, reason="needs Debian's umockdev")
def test_two_scanners_alike_keep_their_lanes_and_one_is_back_within_a_second(
    tmp_path: Path,
) -> None:
    command = [str(WRAPPER), sys.executable, "-m", "tests.integration.edge.mocked.replug"]
    done = subprocess.run(
        [*command, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["heard"] == [[2, "6901234567892"], [1, "4006381333931"], [1, "42"]]
    assert told["gone_s"] < 1
    assert told["back_s"] < 1
    assert told["end"] == {"scanner-1": "absent", "scanner-2": "absent"}
    # Nothing is made for the keyboard beside them.
    assert told["addresses"] == [f"platform-lab-usb-0:1-{n}:1.0" for n in (1, 2)]
