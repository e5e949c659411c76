"""A scale that others have written is weighed with as one of ours."""

import time
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.device.scale import ScaleConfig, SerialScale
from tests.integration.edge.running_box import until
from tests.lab import emupos
from tests.lab.net import LOOPBACK

SILENT_MS = 3_000
"""The emulator is a process of its own: on a busy machine it may answer late."""
pytestmark = pytest.mark.skipif(emupos.python_313() is None, reason=emupos.MISSING)


def test_a_scale_of_others_tells_weight_motion_and_what_is_none(tmp_path: Path) -> None:
    with emupos.emulated_scale(tmp_path, "toledo8217-15kg") as peer:
        path = f"socket://{LOOPBACK}:{peer.port}"
        scale = SerialScale(ScaleConfig(lambda: path, silent_ms=SILENT_MS), SystemClock())
        scale.start()

        def shows(condition: str, milli: int = 0) -> bool:
            weight = scale.weight()
            found = None if weight is None else (weight.condition, weight.weight_milli)
            return found == (condition, milli)

        until(lambda: shows("zero"))
        for _ in range(2):
            peer.lay(1234, is_stable=False)
            until(lambda: shows("moving"))
            peer.lay(1234)
            until(lambda: shows("stable", 1235))  # its division is five grams
        for grams, condition in ((16_000, "over"), (-20, "under")):
            peer.lay(grams)
            until(lambda condition=condition: shows(condition))  # type: ignore[misc]
        time.sleep(SILENT_MS / 1000 + 0.2)  # to say so for long is no fault
        assert scale.state().state == "ready"
        assert scale.report().counters.get("faults", 0) == 0
        peer.lay(250)
        until(lambda: shows("stable", 250))
        peer.tare()
        peer.lay(1000)
        until(lambda: shows("stable", 750))
        weight = scale.weight()
        assert weight is not None
        assert weight.is_net
        scale.stop()
