"""A lab whose one store box has an ARM processor; head office has this machine's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.ansible.host import Image, unpack
from tests.ansible.lab import OUT, Lab
from tests.arm64 import wheels
from tests.arm64.machine import PROCESSOR

BOX = "box1"
# An emulated processor is some twenty times slower: what the unit waits for is longer by that.
_PATIENCE = "[Service]\nTimeoutStartSec=900\nWatchdogSec=600\n"
_PATIENT = "etc/systemd/system/tillbox-edge.service.d/90-emulated.conf"


class ArmLab(Lab):
    """Use it with `with`, as every lab."""

    def __init__(self) -> None:
        super().__init__((BOX,))
        self.log = OUT / "arm64.log"
        self.table = "arm64.md"

    def image_of(self, name: str, image: Image) -> Image:
        """The box begins from a Debian for ARM, opened by the same key."""
        if name != BOX:
            return image
        arm = unpack(self.folder / PROCESSOR, image.mirror, image.names, PROCESSOR)
        patient = arm.root / _PATIENT
        patient.parent.mkdir(parents=True)
        patient.write_text(_PATIENCE, encoding="ascii")
        return replace(arm, key=image.key)

    def bring_wheels(self) -> Path:
        """Make what the box installs; where it lies."""
        folder = self.folder / f"wheelhouse-{PROCESSOR}"
        wheels.build(folder, self.key)
        self.vars[BOX] = {"tillbox_release_wheelhouse": str(folder)}
        return folder / "edge"
