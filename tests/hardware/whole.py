"""`make test-machine`: a whole emulated machine with the box on it, and its power cut.

QEMU emulates every instruction, so nothing of this computer is needed but time.  The machine tells
what it does in JSON lines over a serial line (virtio); cutting the power is SIGKILL for QEMU.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hardware.__main__ import OUT, alone, line_of
from tests.hardware.debian_machine import kernel_package, make_disk, need_programs
from tests.hardware.service import debian_archive
from tests.lab.console import SetupError, say, step
from tests.lab.net import sleep_briefly
from tests.lab.processes import ChildProcess, Command

NAME = "whole"
FOLDER = OUT / NAME
ATTEMPTS = 2
BOOT_LIMIT_S = 420
SALES_BEFORE_CUT = 40
CONSOLE_LINES = 25
PROCESSOR = "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+aes,+pclmulqdq,+rdrand"
UNNEEDED_UNITS = (
    *("systemd-timesyncd.service", "systemd-binfmt.service", "proc-sys-fs-binfmt_misc.automount"),
    "e2scrub_reap.service",
)
Told = dict[str, Any]


class MachineDiedError(Exception):
    """The machine ended, or told nothing for too long."""


@dataclass
class Power:
    """One time that the machine has power: from its start to the kill."""

    boot: int
    kernel: Path
    told: list[Told] = field(default_factory=list)
    results: list[Told] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.line = FOLDER / f"boot{self.boot}.jsonl"
        self.line.touch()
        log = FOLDER / f"qemu{self.boot}.log"
        self.process = ChildProcess(Command(NAME, self._arguments(), log))
        self._read = 0

    def run(self) -> None:
        """Until it has told its end, or enough was sold; then the power goes, in either case."""
        began = time.monotonic()
        self.process.start()
        try:
            while not self._look():
                if not self.process.is_alive:
                    message = f"QEMU ended with code {self.process.returncode}"
                    raise MachineDiedError(message)
                if time.monotonic() - began > BOOT_LIMIT_S:
                    message = f"it was not done after {BOOT_LIMIT_S} s"
                    raise MachineDiedError(message)
                sleep_briefly()
        finally:
            self.process.kill()
        self._look()

    def all(self, name: str) -> list[Any]:
        """What it told under a name."""
        return [each[name] for each in self.told if name in each]

    def _look(self) -> bool:
        """Read what is new; True when the power is to go."""
        lines = self.line.read_bytes().split(b"\n")[:-1]
        for line in lines[self._read :]:
            told = json.loads(line)
            if "check" in told:
                self.results.append(told)
                say(line_of(NAME, told))
            else:
                self.told.append(told)
        self._read = len(lines)
        return bool(self.all("end")) or len(self.all("sold")) >= SALES_BEFORE_CUT

    def _arguments(self) -> list[str | Path]:
        words = [
            *("console=ttyS0", "root=/dev/vda", "rw", "quiet", "mitigations=off", "nokaslr"),
            *("random.trust_cpu=on", "net.ifnames=0", "systemd.journald.forward_to_console=1"),
            *(f"systemd.mask={unit}" for unit in UNNEEDED_UNITS),
            f"lab.boot={self.boot}",
        ]
        return [
            *("qemu-system-x86_64", "-accel", "tcg,thread=multi,tb-size=512"),
            *("-M", "q35,i8042=off,vmport=off,hpet=off", "-cpu", PROCESSOR),
            *("-smp", "2", "-m", "1024", "-nodefaults", "-no-user-config", "-no-reboot"),
            *("-display", "none", "-serial", f"file:{FOLDER}/console{self.boot}.log"),
            *("-kernel", self.kernel / "vmlinuz", "-initrd", self.kernel / "starter"),
            *("-append", " ".join(words)),
            *("-drive", f"if=none,id=d0,file={FOLDER}/disk.img,format=raw,cache=writeback"),
            *("-device", "virtio-blk-pci,drive=d0", "-device", "virtio-rng-pci"),
            *("-chardev", f"file,id=lab,path={self.line},append=on", "-nic", "none"),
            *("-device", "virtio-serial-pci", "-device", "virtserialport,chardev=lab,name=lab"),
        ]


def main() -> int:
    """0 when every check of both boots passed."""
    began = time.monotonic()
    try:
        need_programs()
        debian_archive()
        kernel = kernel_package()
        with alone():
            return work(kernel, began)
    except SetupError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1


def work(kernel: Path, began: float) -> int:
    """Both boots, once more from a new disk when the machine itself died."""
    results: list[Told] = []
    for attempt in range(1, ATTEMPTS + 1):
        _make_empty(attempt)
        try:
            results = _both_boots(kernel)
            break
        except MachineDiedError as problem:
            say(f"  whole: the machine died ({problem}), attempt {attempt} of {ATTEMPTS}:")
            for line in _console():
                say(f"    | {line}")
        finally:
            (FOLDER / "disk.img").unlink(missing_ok=True)
    return _close(results, time.monotonic() - began)


def _both_boots(kernel: Path) -> list[Told]:
    with step("Making the machine's disk"):
        make_disk(FOLDER / "disk.img", kernel)
    first, second = Power(1, kernel), Power(2, kernel)
    first.run()
    sold = first.all("sold")
    if any(each["outcome"] != "passed" for each in first.results):
        return first.results
    say(f"  cut  whole: the power went after {len(sold)} acknowledged sales")
    second.run()
    return [*first.results, *second.results, _owed(sold, second)]


def _owed(sold: list[str], second: Power) -> Told:
    """What was acknowledged before the cut, against what the box shows after it."""
    shown = {receipt_no for listed in second.all("receipts") for receipt_no in listed}
    lost = [receipt_no for receipt_no in sold if receipt_no not in shown]
    result = {
        "check": "whole.py::every_acknowledged_sale_is_there_after_the_cut",
        "outcome": "failed" if lost or not sold else "passed",
        "took_s": 0,
        "measured": {"acknowledged": len(sold), "found": len(shown)},
        "problem": f"lost: {lost}" if lost else "",
    }
    say(line_of(NAME, result))
    return result


def _close(results: list[Told], took_s: float) -> int:
    passed = sum(result["outcome"] == "passed" for result in results)
    is_good = passed == len(results) > 0
    word = "passed" if is_good else "NOT passed"
    if not is_good:
        say(f"  whole: read {FOLDER}")
    say(f"Whole machine {word}: {passed} of {len(results)} checks, {took_s:.0f} s.")
    return 0 if is_good else 1


def _console() -> list[str]:
    logs = sorted(FOLDER.glob("console*.log"))
    text = logs[-1].read_text(encoding="utf-8", errors="replace") if logs else ""
    return text.splitlines()[-CONSOLE_LINES:]


def _make_empty(attempt: int) -> None:
    """Keep what a dead machine told; its disk is gone already."""
    died = FOLDER.with_name(f"{FOLDER.name}.died")
    if attempt == 1:
        shutil.rmtree(died, ignore_errors=True)
        shutil.rmtree(FOLDER, ignore_errors=True)
    else:
        FOLDER.rename(died)
    FOLDER.mkdir(parents=True)


if __name__ == "__main__":
    sys.exit(main())
