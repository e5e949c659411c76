"""Moves what a box writes to its data partition, then makes that the order of every next start.

    carry_over.py TABLE [/etc/fstab]

TABLE is the list of mounts as it is to be.  Says "changed" when it did something.  Until the list
is exchanged the folders on the root are what counts, afterwards those of the data partition: a
power cut in between loses nothing, for the box does not sell meanwhile.  Nothing is ever deleted.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

DATA = Path("/data")
SERVICE = "tillbox-edge.service"
FOLDERS = "/etc/tmpfiles.d/tillbox.conf"


def rows_of(table: Path) -> list[list[str]]:
    """Source, place, type and options of each mount."""
    lines = table.read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if line.strip() and not line.startswith("#")]


def binds_of(table: Path) -> list[tuple[Path, Path]]:
    """Folder on the data partition, and where it is seen, of each bind."""
    return [
        (Path(source), Path(place))
        for source, place, _, options, *_ in rows_of(table)
        if "bind" in options.split(",")
    ]


def is_in_force(wanted: Path, table: Path) -> bool:
    """Whether the data partition is what counts already."""
    return set(binds_of(wanted)) <= set(binds_of(table))


def carry(source: Path, home: Path) -> None:
    """Copy a folder with owners, rights and times; what lies there already is put aside."""
    if home.is_dir() and any(home.iterdir()):
        number = 1
        while (aside := home.with_name(f"{home.name}.before-{number}")).exists():
            number += 1
        home.rename(aside)
    home.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        subprocess.run(["cp", "--archive", f"{source}/.", f"{home}/"], check=True)
        status = source.stat()
        os.chown(home, status.st_uid, status.st_gid)
        home.chmod(status.st_mode & 0o7777)


def exchange(wanted: Path, table: Path) -> None:
    """Put the new list of mounts in place of the old one, for good; the old one is kept."""
    old, draft = table.with_name("fstab.before-tillbox"), table.with_name("fstab.new")
    if not old.exists():
        old.write_bytes(table.read_bytes())
    with draft.open("wb") as file:
        file.write(wanted.read_bytes())
        file.flush()
        os.fsync(file.fileno())
    draft.chmod(0o644)
    os.sync()  # what was copied is on the disk before anything relies on it
    draft.replace(table)
    os.sync()


def bind(home: Path, place: Path, options: str) -> None:
    """Show the folder of the data partition at its place."""
    place.mkdir(parents=True, exist_ok=True)
    run("mount", "--bind", str(home), str(place))
    kept = [word for word in options.split(",") if word in {"exec", "nodev", "nosuid", "rw"}]
    if kept:
        run("mount", "-o", ",".join(["remount", "bind", *kept]), str(home), str(place))


def move(folders: list[tuple[Path, Path, str]], wanted: Path, table: Path) -> None:
    """Carry folders, show them, exchange the list; the box sells on from the root if that fails.

    It would sell into folders that no next start shows, or not at all.
    """
    try:
        for home, place, options in folders:
            carry(place, home)
            bind(home, place, options)
        exchange(wanted, table)
    except BaseException:
        for _, place, _ in reversed(folders):
            if os.path.ismount(place):
                run("umount", "--lazy", str(place))
        run("systemctl", "start", SERVICE)
        raise


def run(*command: str) -> None:
    """Run a program; CalledProcessError where it fails."""
    subprocess.run(command, check=True)


def main(wanted: Path, table: Path) -> None:
    """Do what is left to do."""
    options = {Path(place): words for _, place, _, words, *_ in rows_of(wanted)}
    is_late = is_in_force(wanted, table)
    missing = [(home, place) for home, place in binds_of(wanted) if not os.path.ismount(place)]
    if is_late and not missing:
        return
    if not os.path.ismount(DATA):
        DATA.mkdir(exist_ok=True)
        [source] = [source for source, place, *_ in rows_of(wanted) if Path(place) == DATA]
        run("mount", source, str(DATA))
    # It complains of users that this box lacks, such as the broker's where no sensors are.
    subprocess.run(["systemd-tmpfiles", "--create", FOLDERS], check=False)
    run("systemctl", "stop", SERVICE)
    if is_late:
        for home, place in missing:
            bind(home, place, options[place])
    else:
        move([(home, place, options[place]) for home, place in missing], wanted, table)
    run("systemctl", "daemon-reload")
    run("systemctl", "start", SERVICE)
    sys.stdout.write("changed\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if sys.argv[2:] else "/etc/fstab"))
