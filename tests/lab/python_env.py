"""The project's virtual environment: made with the system's Python, filled from the lock file."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib.util import find_spec
from pathlib import Path

from tests.lab.console import SetupError, run_quietly, say, step
from tests.lab.debian import apt_install, find_program, is_root
from tests.lab.stamp import Stamp, digest_of

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
STAMPS = ROOT / ".cache" / "setup"
LOCK = ROOT / "requirements.lock"
BENCH_LOCK = ROOT / "requirements-bench.lock"
EMUPOS_LOCK = ROOT / "requirements-emupos.lock"
MUTATION_LOCK = ROOT / "requirements-mutation.lock"
AUDIT_LOCK = ROOT / "requirements-audit.lock"
ESPHOME_LOCK = ROOT / "requirements-esphome.lock"
ANSIBLE_LOCK = ROOT / "requirements-ansible.lock"
PYTHON_FLOOR = (3, 11)
COMPILER_PACKAGES = ("gcc", "libc6-dev", "python3-dev")


def entries_of(lock_text: str) -> list[tuple[str, str]]:
    """Split a lock file into its entries: package name and all lines of it, hashes included."""
    starts = list(re.finditer(r"^([A-Za-z0-9._-]+)==", lock_text, re.MULTILINE))
    ends = [found.start() for found in starts[1:]] + [len(lock_text)]
    return [
        (found[1], lock_text[found.start() : end]) for found, end in zip(starts, ends, strict=True)
    ]


def check_python() -> None:
    """Refuse a Python that is too old to run the product."""
    if sys.version_info[:2] < PYTHON_FLOOR:
        message = f"Tillbox needs Python 3.11 or newer; this is {sys.version.split()[0]}."
        raise SetupError(message)


def prepare() -> None:
    """Bring .venv to what requirements.lock and pyproject.toml say; quick when it already is."""
    can_compile = _has_compiler()
    locked = digest_of([LOCK], sys.version, str(VENV), str(can_compile))
    stamp = Stamp(STAMPS, "python")
    if not (stamp.is_fresh(locked) and VENV_PYTHON.is_file()):
        # Syncing removes what further lock files added, so every later step starts anew too.
        shutil.rmtree(STAMPS, ignore_errors=True)
        if not can_compile and is_root():
            can_compile = _install_compiler()
            locked = digest_of([LOCK], sys.version, str(VENV), str(can_compile))
        _make_venv()
        _install_uv()
        _sync(LOCK.read_text(encoding="utf-8"), with_evdev=can_compile)
        stamp.set(locked)
    _install_project(locked)


def install_locked(lock: Path) -> None:
    """Add what a further lock file names, with its hashes, to .venv."""
    stamp = Stamp(STAMPS, lock.stem)
    digest = digest_of([lock, LOCK], sys.version)
    if stamp.is_fresh(digest):
        return
    with step(f"Installing what {lock.name} pins"):
        _uv("pip", "install", "--require-hashes", "-r", str(lock))
    stamp.set(digest)


def install_apart(lock: Path, base: Path = VENV_PYTHON) -> Path:
    """Fill an environment of its own, made by `base`, with what a lock file names.

    Answers its Python.
    """
    home = ROOT / ".cache" / lock.stem
    python = home / "bin" / "python"
    stamp = Stamp(STAMPS, lock.stem)
    digest = digest_of([lock], sys.version, str(home), str(base))
    if stamp.is_fresh(digest) and python.is_file():
        return python
    with step(f"Installing what {lock.name} pins, apart from .venv"):
        _uv("venv", "--clear", str(home), python=base)
        _uv("pip", "sync", "--require-hashes", str(lock), python=python)
    stamp.set(digest)
    return python


def _has_compiler() -> bool:
    header = Path(sysconfig.get_path("include")) / "Python.h"
    return shutil.which("cc") is not None and header.is_file()


def _install_compiler() -> bool:
    try:
        apt_install(*COMPILER_PACKAGES)
    except SetupError as problem:
        say(f"  {problem}")
        return False
    return _has_compiler()


def _make_venv() -> None:
    if (
        VENV_PYTHON.is_file()
        and subprocess.run([VENV_PYTHON, "-c", ""], check=False).returncode == 0
    ):
        return
    if find_spec("ensurepip") is None or find_spec("venv") is None:
        apt_install("python3-venv")
    with step("Creating .venv"):
        run_quietly(
            [sys.executable, "-m", "venv", "--clear", str(VENV)],
            cwd=ROOT,
            hint="Python could not create .venv: install it (apt-get install python3-venv).",
        )


def _runs(python: Path) -> bool:
    return subprocess.run([python, "-c", ""], check=False).returncode == 0


def _install_uv() -> None:
    pinned = dict(entries_of(LOCK.read_text(encoding="utf-8")))["uv"]
    version = pinned.partition("==")[2].split()[0]
    if list(VENV.glob(f"lib/python*/site-packages/uv-{version}.dist-info")):
        return
    with step("Installing uv"), tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "uv.lock"
        wanted.write_text(pinned, encoding="utf-8")
        run_quietly(
            [
                *(str(VENV_PYTHON), "-m", "pip", "install", "--disable-pip-version-check"),
                *("--require-hashes", "--no-deps", "-r", str(wanted)),
            ],
            cwd=ROOT,
            hint="pip could not install uv: check the network, then try again.",
        )


def _sync(lock_text: str, *, with_evdev: bool) -> None:
    entries = entries_of(lock_text)
    if not with_evdev:
        entries = [(name, lines) for name, lines in entries if name != "evdev"]
        say("  No C compiler or Python headers here: evdev is left out, USB scanners stay unread.")
    title = f"Installing {len(entries)} pinned packages"
    with step(title), tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text("".join(lines for _, lines in entries), encoding="utf-8")
        pinned = str(wanted)
        _uv("pip", "sync", "--require-hashes", "--build-constraints", pinned, pinned)


def _install_project(locked: str) -> None:
    stamp = Stamp(STAMPS, "project")
    digest = digest_of([ROOT / "pyproject.toml", ROOT / "hatch_build.py"], locked)
    if stamp.is_fresh(digest) and (VENV / "bin" / "tillbox-edge").is_file():
        return
    with step("Installing tillbox-edge and tillbox-cloud"):
        _uv("pip", "install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    stamp.set(digest)


def _uv(*arguments: str, python: Path = VENV_PYTHON) -> None:
    uv = find_program(str(VENV / "bin" / "uv"))
    if uv is None:
        message = "uv is missing from .venv: run `make clean`, then `make setup`."
        raise SetupError(message)
    run_quietly(
        [uv, "--quiet", *arguments, "--python", str(python)],
        cwd=ROOT,
        hint="uv could not install the pinned packages: see the lines above.",
    )
