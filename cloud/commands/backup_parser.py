"""The arguments of `tillbox-cloud archive`, `backup`, `restore` and `drill`."""

from __future__ import annotations

import argparse
from pathlib import Path

Kinds = argparse._SubParsersAction  # noqa: SLF001 - argparse gives its type no public name
_EPILOG = """\
PostgreSQL archives its log through it (postgresql.conf):
  archive_mode = on
  archive_command = 'tillbox-cloud --config FILE backup wal %p'
"""


def add_backup(kinds: Kinds[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    backup = kinds.add_parser(
        "backup",
        help="sealed backups of the database and the boxes",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = backup.add_subparsers(required=True, metavar="ACTION")
    for name, run, text in (
        ("run", "run", "make a base backup now, as the worker does"),
        ("status", "status", "tell how backups stand"),
        ("list", "listed", "list the base backups"),
        ("prune", "prune_old", "delete what reaches further back than is kept"),
    ):
        actions.add_parser(name, help=text).set_defaults(run=f"backup.{run}")
    wal = actions.add_parser("wal", help="seal one WAL file; PostgreSQL's archive_command")
    wal.add_argument("path", type=Path, metavar="%p")
    wal.set_defaults(run="backup_wal.wal")
    objects = actions.add_parser("objects", help="copy what is published, as the worker does")
    objects.add_argument("--back", action="store_true", help="put back what is lost of it")
    objects.add_argument("--key", type=Path, metavar="FILE", help="the private backup key")
    objects.set_defaults(run="backup.objects")
    keys = actions.add_parser("keys", help="put head office's own keys back that are missing")
    keys.add_argument("--key", type=Path, metavar="FILE", help="the private backup key")
    keys.set_defaults(run="backup.keys")
    box = actions.add_parser("box", help="write a box's newest backup to a file")
    box.add_argument("dev", metavar="DEV", help="the box, as in `box list`")
    box.add_argument("--out", type=Path, required=True, metavar="FILE")
    box.set_defaults(run="backup.box")
    opened = actions.add_parser("open", help="open one sealed file, such as keys/hq.key.tbk")
    opened.add_argument("name", help="as it is called where backups lie")
    opened.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file")
    opened.add_argument("--key", type=Path, metavar="FILE", help="the private backup key")
    opened.set_defaults(run="backup.open_file")
    _add_key(actions)
    _add_restore(kinds)


def _add_key(actions: Kinds[argparse.ArgumentParser]) -> None:
    key = actions.add_parser("key", help="the key that opens backups")
    verbs = key.add_subparsers(required=True, metavar="ACTION")
    init = verbs.add_parser("init", help="make a key; never overwrites one")
    init.add_argument("--out", type=Path, required=True, metavar="FILE")
    init.set_defaults(run="backup.make_key")
    writer = verbs.add_parser("writer", help="print what the servers' settings say of a key")
    writer.add_argument("--key", type=Path, metavar="FILE", help="the private backup key")
    writer.set_defaults(run="backup.show_writer")
    show = verbs.add_parser("show", help="print public keys")
    show.add_argument("file", nargs="?", type=Path, help="a private key (default: the settings')")
    show.set_defaults(run="backup.show_key")


def _add_restore(kinds: Kinds[argparse.ArgumentParser]) -> None:
    restore = kinds.add_parser(
        "restore", help="the database as it was at a time, into a new folder"
    )
    restore.add_argument(
        "--to", metavar="TIME", help="such as 2026-11-22T14:00:00+08:00 (default: the newest)"
    )
    restore.add_argument(
        "--into", type=Path, required=True, metavar="DIR", help="PostgreSQL's new data folder"
    )
    restore.add_argument(
        "--seen",
        metavar="TIME",
        help="when head office was alive for the last time (default: now); what the backup lacks"
        " of the time before is a reason to stop",
    )
    restore.add_argument("--key", type=Path, metavar="FILE", help="the private backup key")
    restore.set_defaults(run="backup.restore")


def add_archive(kinds: Kinds[argparse.ArgumentParser]) -> None:
    """Add the archive's commands and the drill."""
    archive = kinds.add_parser("archive", help="the journal's archive: look, run, repair, restore")
    actions = archive.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("status", help="tell where it stands").set_defaults(run="archive.status")
    run = actions.add_parser("run", help="seal what is due and read it back, as the worker does")
    run.add_argument("--now", action="store_true", help="seal everything, due or not")
    run.add_argument("--tree", action="store_true", help="sign a daily seal of today")
    run.set_defaults(run="archive.run")
    actions.add_parser(
        "repair", help="write segments again that the archive gave back wrong"
    ).set_defaults(run="archive.repair")
    actions.add_parser(
        "refill", help="bring back entries that the archive has and the database lacks"
    ).set_defaults(run="archive.refill_living")
    restore = actions.add_parser("restore", help="restore all of it into an empty database")
    restore.add_argument("--into", required=True, metavar="DATABASE_URL")
    restore.set_defaults(run="archive.restore")
    drill = kinds.add_parser("drill", help="rehearse a restore and compare it with what lives")
    drill.add_argument(
        "--from",
        dest="source",
        choices=("archive", "backup"),
        default="archive",
        help="the journal's archive alone (default), or the newest backup with its WAL",
    )
    drill.add_argument(
        "--into", metavar="DATABASE_URL", help="archive: an empty database (default: a new one)"
    )
    drill.add_argument(
        "--scratch", type=Path, metavar="DIR", help="backup: where a server may be restored"
    )
    drill.set_defaults(run="drill.run_drill")
