"""Build a release from its wheels: a virtual environment of its own, offline, hash by hash."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import structlog

from edge.updater.launcher import Releases
from shared.kernel.errors import RefusedError, UnavailableError
from shared.release.description import Release, Wheel, is_version

COMPLETE = ".complete"
"""Written last into a release's folder: one without it was cut off, and is built again."""
INSTALL_S = 1200
NICE = 10
_KEPT_OUTPUT = 2000
_log = structlog.get_logger("updater")


def is_whole(releases: Releases, version: str) -> bool:
    """Whether a release was built to its end and can be started."""
    return (releases.folder / version / COMPLETE).is_file() and releases.runs(version)


def build(releases: Releases, release: Release, wheels: Mapping[str, Path]) -> None:
    """Make `releases/VERSION`; `wheels` maps wheel names to verified files. Safe to repeat.

    Raises RefusedError `release.install` when pip refuses, UnavailableError `release.no_pip`.
    What stands already, from the very same wheels, is left alone.
    """
    folder, used = (
        releases.folder / release.version,
        [w for w in release.wheels if w.name in wheels],
    )
    mark = " ".join(sorted(wheel.sha256 for wheel in used))
    if is_whole(releases, release.version) and (folder / COMPLETE).read_text() == mark:
        return
    assert release.version not in {releases.current(), releases.note().trusted}
    shutil.rmtree(folder, ignore_errors=True)
    links = releases.folder / f".wheels-{release.version}"
    shutil.rmtree(links, ignore_errors=True)
    links.mkdir(parents=True)
    try:
        for name, path in wheels.items():
            (links / name).symlink_to(path.resolve())
        _make(folder, links, used)
    finally:
        shutil.rmtree(links, ignore_errors=True)
    if not releases.runs(release.version):
        raise RefusedError("release.install", because="the wheels hold no program")
    _sync_tree(folder)
    (folder / COMPLETE).write_text(mark)
    _sync_tree(folder, (folder / COMPLETE,))


def drop(releases: Releases, version: str) -> None:
    """Remove a release that is of no use, unless the launcher may still need it.

    What is no version is left alone: it may be a wish whose signature did not hold, and a path.
    """
    note = releases.note()
    if is_version(version) and version not in {
        note.trusted,
        note.trial,
        note.previous,
        releases.current(),
    }:
        shutil.rmtree(releases.folder / version, ignore_errors=True)


def tidy(releases: Releases, keep: Iterable[str]) -> None:
    """Remove every release but those named and the two that the launcher knows."""
    note = releases.note()
    kept = {*keep, note.trusted, note.trial, note.previous, releases.current()}
    for path in releases.folder.glob("*"):
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)


def _make(folder: Path, links: Path, wheels: Sequence[Wheel]) -> None:
    _run([sys.executable, "-m", "venv", "--without-pip", str(folder)], links)
    wanted = links / "requirements.txt"
    wanted.write_text("".join(f"{requirement(wheel)}\n" for wheel in wheels))
    _run(
        [
            *_pip(),
            *("--python", str(folder / "bin" / "python"), "install", "--quiet"),
            *(
                "--no-index",
                "--no-deps",
                "--require-hashes",
                "--no-cache-dir",
                "--no-warn-script-location",
            ),
            *("--disable-pip-version-check", "--find-links", str(links), "-r", str(wanted)),
        ],
        links,
    )


def requirement(wheel: Wheel) -> str:
    """One line for pip: exactly this version, with exactly this hash."""
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version} --hash=sha256:{wheel.sha256}"


def _pip() -> list[str]:
    """This Python's own pip, or the one that it carries for new environments."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    for found in _carried():
        return [sys.executable, str(found / "pip")]
    raise UnavailableError("release.no_pip")


def _carried() -> Iterable[Path]:
    places = [Path("/usr/share/python-wheels")]
    spec = importlib.util.find_spec("ensurepip")
    if spec is not None and spec.origin is not None:
        places.append(Path(spec.origin).parent / "_bundled")
    for place in places:
        yield from sorted(place.glob("pip-*.whl"))


def _run(command: list[str], scratch: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON"))}
    environment["TMPDIR"] = str(scratch)  # /tmp is memory, and a small one
    try:
        done = subprocess.run(
            ["nice", "-n", str(NICE), *command],
            check=False,
            capture_output=True,
            text=True,
            timeout=INSTALL_S,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise RefusedError("release.install", because="it took too long") from None
    if done.returncode:
        output = (done.stderr or done.stdout).strip()[-_KEPT_OUTPUT:]
        _log.warning("release.install", output=output)
        last = output.splitlines()[-1] if output else f"exit status {done.returncode}"
        raise RefusedError("release.install", because=last[:200])


def _sync_tree(folder: Path, files: Iterable[Path] = ()) -> None:
    """What the link will name has to be on the disk before it does."""
    paths = list(files) or [path for path in folder.rglob("*") if not path.is_symlink()]
    for path in (*paths, folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
