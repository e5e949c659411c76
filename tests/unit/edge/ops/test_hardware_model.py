"""What kind of hardware a box says that it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.ops.machine import MODEL_MAX, hardware_model

TREE, DMI = "proc/device-tree/model", "sys/class/dmi/id/product_name"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({TREE: b"Raspberry Pi 4 Model B Rev 1.4\0"}, "Raspberry Pi 4 Model B Rev 1.4"),
        ({DMI: b"  NUC8i3BEH \n"}, "NUC8i3BEH"),
        ({TREE: b"Board\0", DMI: b"PC\n"}, "Board"),
        ({TREE: b"\0", DMI: b"PC\n"}, "PC"),
        ({TREE: b"\xff\xfe", DMI: b"\x1b[31m\n"}, ""),
        ({DMI: b"x" * 500}, "x" * MODEL_MAX),
        ({}, ""),
    ],
)
def test_the_hardware_names_itself(tmp_path: Path, files: dict[str, bytes], told: str) -> None:
    for place, data in files.items():
        path = tmp_path / place
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    assert hardware_model(tmp_path) == told
