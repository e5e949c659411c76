"""How a serial line is opened, and what is said when it cannot be."""

import os
import termios

import pytest

from edge.device.serial_line import LineConfig, open_line
from edge.device.supervisor import DeviceFaultError


def test_a_line_pulled_out_while_it_is_opened_is_absent_and_not_a_defect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise termios.error(5, "Input/output error")

    master, slave = os.openpty()
    path = os.ttyname(slave)
    try:
        monkeypatch.setattr(termios, "tcflush", gone)
        with pytest.raises(DeviceFaultError) as fault:
            open_line(LineConfig(path), "scale")
        assert (fault.value.code, fault.value.is_absent) == ("scale.absent", True)
    finally:
        os.close(master)
        os.close(slave)
