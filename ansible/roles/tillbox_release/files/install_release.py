"""Build a release from a signed folder of wheels: `install_release.py WORK ROOT VERSION OWNER`.

WORK holds `wheels.tar` and `signers`.  Needs nothing but Debian's Python.  What it leaves is what
the box's own updater would leave: a virtual environment, whole only with its file `.complete`.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

NAMESPACE = "tillbox-wheelhouse"
PIP_PLACE = Path("/usr/share/python-wheels")


def main(work: Path, root: Path, version: str, owner: str) -> int:
    """Check, build, mark as whole."""
    wheels = work / "wheels"
    unpack(work / "wheels.tar", wheels)
    check_signature(wheels, work / "signers")
    listed = (wheels / "requirements.txt").read_text(encoding="ascii")
    if f"tillbox=={version} " not in listed:
        return failed(f"the wheels are not those of {version}")
    check_processor(wheels)
    folder = root / "releases" / version
    shutil.rmtree(folder, ignore_errors=True)
    run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    run(
        [
            *(sys.executable, str(newest_pip()), "--python", str(folder / "bin/python"), "install"),
            *("--quiet", "--no-index", "--no-deps", "--require-hashes", "--no-cache-dir"),
            *("--only-binary=:all:", "--no-warn-script-location", "--disable-pip-version-check"),
            *("--find-links", str(wheels), "-r", str(wheels / "requirements.txt")),
        ]
    )
    mark = " ".join(sorted(re.findall(r"sha256:([0-9a-f]{64})", listed)))
    (folder / ".complete.new").write_text(mark, encoding="ascii")
    run(["chown", "--recursive", f"{owner}:", str(folder)])
    os.sync()  # what the link will name has to be on the disk before it does
    (folder / ".complete.new").rename(folder / ".complete")
    os.sync()
    return 0


def unpack(archive: Path, folder: Path) -> None:
    """Take plain files out of the archive by their names alone, whatever paths it names."""
    folder.mkdir()
    with tarfile.open(archive) as packed:
        for member in packed:
            content = packed.extractfile(member) if member.isfile() else None
            if content is not None:
                with (folder / Path(member.name).name).open("wb") as file:
                    shutil.copyfileobj(content, file)


def check_signature(wheels: Path, signers: Path) -> None:
    """Leave with a sentence unless a trusted key signed the list of wheels."""
    if not (wheels / "SIGNATURE").is_file():
        sys.exit(failed("the wheels are not signed"))
    command = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", "release", "-n", NAMESPACE]
    with (wheels / "requirements.txt").open("rb") as listed:
        done = subprocess.run(
            [*command, "-s", str(wheels / "SIGNATURE")],
            stdin=listed,
            capture_output=True,
            check=False,
        )
    if done.returncode != 0:
        sys.exit(failed("nobody whose signature is trusted signed the wheels"))


def check_processor(wheels: Path) -> None:
    """Leave with a sentence where they are of another kind of machine: pip would only miss them."""
    mine = platform.machine()
    kinds = {wheel.stem.rpartition("-")[2] for wheel in wheels.glob("*.whl")} - {"any"}
    if not all(kind.endswith(mine) for kind in kinds):
        sys.exit(failed(f"the wheels are for another processor than this machine's {mine}"))


def newest_pip() -> Path:
    """The pip that Debian keeps for new environments."""
    return max(PIP_PLACE.glob("pip-*.whl")) / "pip"


def run(command: list[str]) -> None:
    """Run to its end, without settings of whoever called; leave with what it said."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON"))}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=kept)
    if done.returncode != 0:
        sys.exit(failed((done.stderr or done.stdout).strip()[-600:]))


def failed(because: str) -> int:
    """Say why."""
    sys.stderr.write(f"install_release: {because}\n")
    return 1


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:5]))
