"""Everything that a store box or the cloud installs, as wheels: `python -m tests.lab.wheelhouse`.

Machines install from such a folder alone: they never compile, resolve or ask a package index.  The
versions and hashes are those of requirements-edge.lock and requirements-cloud.lock; what has no
wheel (evdev) is built here.

    python -m tests.lab.wheelhouse [--key SSH_KEY] [--out dist/wheelhouse]

makes OUT/edge and OUT/cloud, each with the wheels, `requirements.txt` (name, version and hash of
each) and `VERSION`.  With a key both are signed as ssh-keygen(1) signs files, in `SIGNATURE`.
OUT/edge.tar and OUT/cloud.tar hold the same in one file, which is quicker to bring to a machine.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.lab.console import SetupError, run_quietly, say, step
from tests.lab.python_env import ROOT, STAMPS, VENV
from tests.lab.stamp import Stamp, digest_of, files_under

EXTRAS = ("edge", "cloud")
OUT = ROOT / "dist" / "wheelhouse"
NAMESPACE = "tillbox-wheelhouse"
"""What a signature is for, so that none of another use of the key is taken for one."""
SIGNED, SIGNATURE, VERSION = "requirements.txt", "SIGNATURE", "VERSION"
_PRODUCT = "tillbox"


def lock_of(extra: str) -> Path:
    """What the product needs with an extra, pinned by hash."""
    return ROOT / f"requirements-{extra}.lock"


def build(out: Path = OUT, key: Path | None = None) -> None:
    """Make a folder of wheels for each extra; quick when nothing has changed."""
    rooms = [path for room in (*EXTRAS, "shared") for path in files_under(ROOT / room)]
    pages = [page for room in EXTRAS for page in (ROOT / room / "http/static").rglob("*")]
    files = [*map(lock_of, EXTRAS), ROOT / "pyproject.toml", ROOT / "hatch_build.py"]
    files += [*rooms, *sorted(pages)]
    stamp = Stamp(STAMPS, f"wheelhouse-{hashlib.sha256(str(out).encode()).hexdigest()[:8]}")
    digest = digest_of(files, str(key))
    if stamp.is_fresh(digest) and all((out / extra / SIGNED).is_file() for extra in EXTRAS):
        return
    stamp.clear()
    with step("Building the wheelhouse"), tempfile.TemporaryDirectory() as folder:
        product = product_wheel(Path(folder))
        for extra in EXTRAS:
            home = out / extra
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir(parents=True)
            _fetch(lock_of(extra), home)
            shutil.copy(product, home)
            seal(home, key)
    stamp.set(digest)


def product_wheel(folder: Path) -> Path:
    """The product's own wheel, with both web apps as they stand built."""
    run_quietly(
        [
            *("env", "PREBUILT_WEB=1", str(VENV / "bin" / "hatchling")),
            *("build", "-t", "wheel", "-d", str(folder)),
        ],
        cwd=ROOT,
        hint="the product's wheel could not be built: see the lines above.",
    )
    [wheel] = folder.glob(f"{_PRODUCT}-*.whl")
    return wheel


def _fetch(lock: Path, home: Path) -> None:
    run_quietly(
        [
            *(str(VENV / "bin" / "python"), "-m", "pip", "wheel", "--no-deps", "--quiet"),
            *("--disable-pip-version-check", "--require-hashes", "--no-build-isolation"),
            *("--prefer-binary", "--wheel-dir", str(home), "-r", str(lock)),
        ],
        cwd=ROOT,
        hint="pip could not fetch the pinned wheels: check the network, then try again.",
    )


def seal(home: Path, key: Path | None) -> None:
    """Write down what the folder holds, and sign that; also used after a wheel was exchanged."""
    wheels = sorted(home.glob("*.whl"))
    lines = []
    for wheel in wheels:
        name, version = wheel.name.split("-")[:2]
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        lines.append(f"{name}=={version} --hash=sha256:{digest}\n")
        if name == _PRODUCT:
            (home / VERSION).write_text(f"{version}\n", encoding="ascii")
    (home / SIGNED).write_text("".join(lines), encoding="ascii")
    (home / SIGNATURE).unlink(missing_ok=True)
    if key is not None:
        sign(home, key)
    with tarfile.open(home.with_suffix(".tar"), "w") as archive:
        for path in sorted(home.iterdir()):
            archive.add(path, path.name, recursive=False)


def sign(home: Path, key: Path) -> None:
    """Sign the list of wheels with an SSH key; raises SetupError where the key does not serve."""
    with (home / SIGNED).open("rb") as listed:
        done = subprocess.run(
            ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", NAMESPACE],
            stdin=listed,
            capture_output=True,
            check=False,
        )
    if done.returncode != 0 or not re.match(rb"-----BEGIN SSH SIGNATURE", done.stdout):
        message = f"{key} could not sign the wheelhouse: {done.stderr.decode()[-200:]}"
        raise SetupError(message)
    (home / SIGNATURE).write_bytes(done.stdout)


def main(arguments: Sequence[str]) -> int:
    """Build from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.wheelhouse")
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR")
    parser.add_argument("--key", type=Path, metavar="FILE", help="private SSH key that signs it")
    chosen = parser.parse_args(arguments)
    try:
        build(chosen.out, chosen.key)
    except SetupError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    for extra in EXTRAS:
        say(f"  {chosen.out / extra}: {(chosen.out / extra / VERSION).read_text().strip()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
