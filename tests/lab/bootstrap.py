"""Prepare this machine: `python3 -m tests.lab.bootstrap PURPOSE`.

Needs nothing but Python's standard library.  Every step is skipped when its inputs are unchanged,
so it costs nothing to run it first, always.
"""

from __future__ import annotations

import sys

from tests.lab import debian, python_env, web_apps
from tests.lab.console import SetupError

PURPOSES = ("setup", "demo", "test", "bench", "mutation", "hardware", "ansible")


def prepare(purpose: str) -> None:
    """Bring the machine to where the given command can run; raises SetupError when it cannot."""
    python_env.check_python()
    python_env.prepare()
    if purpose == "mutation":
        python_env.install_locked(python_env.MUTATION_LOCK)
        return
    if purpose == "hardware":
        debian.need_device_lab()
        debian.want_chinese_font()
        return
    web_apps.prepare()
    if purpose == "ansible":
        debian.need_container()
        debian.need_ssh()
        python_env.install_apart(python_env.ANSIBLE_LOCK)
        return
    if purpose != "setup":
        debian.want_mosquitto()
    if purpose in {"test", "bench"}:
        debian.need_chromium()
        debian.want_chinese_font()
        debian.want_umockdev()
    if purpose == "test":
        debian.need_box_tools()
    if purpose == "test":
        debian.need_ssh()
        python_env.install_apart(python_env.ESPHOME_LOCK)
        python_env.install_apart(python_env.ANSIBLE_LOCK)
    if purpose == "bench":
        python_env.install_apart(python_env.BENCH_LOCK)
    if purpose == "demo":
        _need_receipts()


def _need_receipts() -> None:
    ready_made = python_env.ROOT.parent / "shared" / "data" / "demo_pack"
    if not ready_made.is_dir():
        python_env.install_locked(python_env.ROOT / "requirements-demo.lock")


def main(arguments: list[str]) -> int:
    """Prepare for one purpose; one sentence and exit code 1 when that is not possible."""
    purpose = arguments[0] if arguments else "setup"
    if purpose not in PURPOSES or len(arguments) > 1:
        sys.stderr.write(f"usage: python3 -m tests.lab.bootstrap [{'|'.join(PURPOSES)}]\n")
        return 2
    try:
        prepare(purpose)
    except SetupError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
