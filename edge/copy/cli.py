"""The commands about copies and whole journals: `salvage` and `verify-journal`."""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from edge.clock import SystemClock
from edge.copy.hand_in import closing_words, hand_in
from edge.copy.mirror_file import part_of, parts_in
from edge.copy.office import HttpOffice
from edge.copy.progress import ProgressLine
from edge.copy.source import JOURNAL_FILE, tails_in
from edge.copy.verified import Verified
from edge.copy.verify import verify_journal, verify_lives
from edge.copy.verify_mirror import verify_mirror
from edge.identity import IDENTITY_FILE, Identity, load_identity
from edge.journal.signer import KEY_FILE, load
from edge.texts import sentence
from edge.tls import BoxKeys
from shared.kernel.errors import MissingError, RetailError


def salvage(options: Namespace) -> int:
    """Hand in what a dead box did not; see `tillbox-edge salvage --help`."""
    path: Path = options.path
    identity = _identity(options.data, path)
    url = options.to or identity.cloud_url
    trust = BoxKeys(options.data).https_trust
    office = HttpOffice(url, f"Bearer {identity.dev}.{identity.secret}", trust)
    has_gap = False
    with closing(office), tails_in(path, SystemClock()) as tails:
        for tail in tails:
            line = ProgressLine(sys.stderr, "entries handed in")
            with closing(line):
                handed = hand_in(tail, office, lambda ms: time.sleep(ms / 1000), line.show)
            _say(f"Journal {tail.stream}: {closing_words(handed)}.")
            has_gap = has_gap or handed.gap is not None
    return 1 if has_gap else 0


def verify(options: Namespace) -> int:
    """Check a journal or a mirror; see `tillbox-edge verify-journal --help`."""
    path: Path = options.path or options.data
    found: list[Verified] = []
    try:
        for each in _verified(path):
            found.append(each)
            if not options.json:
                _say(_words(each))
    except RetailError as error:
        if not options.json:
            raise
        said = {"code": error.code, **error.params, "text": sentence(error)}
        _say(json.dumps({"ok": False, "journals": list(map(asdict, found)), "error": said}))
        return 1
    if options.json:
        _say(json.dumps({"ok": True, "journals": list(map(asdict, found))}))
    return 0


def _identity(data: Path, source: Path) -> Identity:
    """This box's own, else that of the dead card: a box that retires may still hand in."""
    for folder in (data, source if source.is_dir() else source.parent):
        if (folder / IDENTITY_FILE).exists():
            return load_identity(folder)
    raise MissingError("salvage.no_identity", path=str(data))


def _verified(path: Path) -> Iterator[Verified]:
    line = ProgressLine(sys.stderr, "entries checked")
    with closing(line):
        if path.is_dir() and not (path / JOURNAL_FILE).exists() and parts_in(path):
            yield from verify_mirror(path, _keys(path), line.show)
        elif path.is_dir():
            yield from _lives(path / JOURNAL_FILE, line)
        elif part_of(path) is not None:
            yield from verify_mirror(path, _keys(path.parent), line.show)
        elif path.name == JOURNAL_FILE:
            yield from _lives(path, line)
        else:
            yield verify_journal(path, line.show)


def _lives(path: Path, line: ProgressLine) -> list[Verified]:
    if not path.exists():
        raise MissingError("journal.missing", path=str(path))
    return verify_lives(path, line.show)


def _keys(folder: Path) -> list[str]:
    """The public journal keys that lie beside a mirror, if it lies in a data folder."""
    found = [load(folder / KEY_FILE).public_hex] if (folder / KEY_FILE).exists() else []
    if (folder / IDENTITY_FILE).exists():
        found += [each.journal_pub for each in load_identity(folder).previous]
    return found


def _words(found: Verified) -> str:
    words = [f"{found.entries} entries, chain complete, head {found.hash}"]
    if found.pruned:
        words.append(f"pruned up to {found.pruned}")
    if part_of(Path(found.path)) is not None:
        words.append(f"{found.signatures} signatures checked")
    return f"{found.path}: {', '.join(words)}"


def _say(text: str) -> None:
    print(text)  # noqa: T201
