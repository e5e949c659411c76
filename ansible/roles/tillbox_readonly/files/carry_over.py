"""Brings what a box has written so far to its data partition, and binds the folders to there.

    carry_over.py FSTAB

Says "changed" when it did something.  A box that was set up before its root became read only would
otherwise wake up with an empty folder: not enrolled, without journal or software.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SERVICE = "tillbox-edge.service"
FOLDERS = "/etc/tmpfiles.d/tillbox.conf"
MARK = ".carried"


def binds_of(fstab: Path) -> list[tuple[Path, Path]]:
    """Folder on the data partition, and where it is seen, of each bind."""
    lines = fstab.read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return [
        (Path(source), Path(place))
        for source, place, _, options, *_ in rows
        if "bind" in options.split(",")
    ]


def carry(source: Path, home: Path) -> None:
    """Copy a folder with owners and times, once; a copy that was cut off is made anew."""
    home.mkdir(parents=True, exist_ok=True)
    if source.is_dir() and not (home / MARK).exists():
        subprocess.run(["cp", "--archive", f"{source}/.", f"{home}/"], check=True)
        status = source.stat()
        os.chown(home, status.st_uid, status.st_gid)
        home.chmod(status.st_mode & 0o7777)
    with (home / MARK).open("w") as mark:
        os.fsync(mark.fileno())


def run(*command: str) -> None:
    """Run a program; CalledProcessError with what it said."""
    subprocess.run(command, check=True)


def main(fstab: Path) -> None:
    """Do what is left to do."""
    missing = [pair for pair in binds_of(fstab) if not os.path.ismount(pair[1])]
    if not missing:
        return
    if not os.path.ismount("/data"):
        Path("/data").mkdir(exist_ok=True)
        run("mount", "/data")
    # It complains of users that this box lacks, such as the broker's where no sensors are.
    subprocess.run(["systemd-tmpfiles", "--create", FOLDERS], check=False)
    run("systemctl", "stop", SERVICE)
    for home, place in missing:
        carry(place, home)
        place.mkdir(parents=True, exist_ok=True)
        run("mount", str(place))
    os.sync()
    run("systemctl", "start", SERVICE)
    sys.stdout.write("changed\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
