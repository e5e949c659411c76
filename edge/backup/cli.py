"""The commands about backups: `backup` and `restore`."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from edge.backup.contents import BoxState
from edge.backup.keys import KnownRecipients
from edge.backup.make import KIND, Made, MakeParts, Walk, check_journals
from edge.backup.nightly import OFFICE, STICK, Nightly, NightlyParts
from edge.backup.office import HttpBackupOffice
from edge.backup.put_back import put_back
from edge.backup.unpack import Unpacked, file_chunks, unpack
from edge.clock import SystemClock
from edge.identity import load_identity
from edge.ids import Ids, secret_bytes
from edge.journal.signer import KEY_FILE, load
from edge.seal_cipher import CIPHER
from edge.settings import load_settings
from edge.texts import sentence
from edge.tls import BoxKeys
from edge.version import software_version
from shared.kernel.errors import RefusedError, RetailError
from shared.wire.sealed import about, by_private, read_key_text
from shared.wire.topics import is_device_id

_AT_MS_MAX = 1 << 47


def nightly_of(data_dir: Path, walk: Walk, is_day_open: Callable[[], bool]) -> Nightly:
    """The backups of the box whose data folder this is."""
    settings, identity = load_settings(data_dir), load_identity(data_dir)
    clock = SystemClock()
    state = BoxState(settings, identity, load(data_dir / KEY_FILE), software_version())
    bearer = f"Bearer {identity.dev}.{identity.secret}"
    trust = BoxKeys(data_dir).https_trust
    return Nightly(
        NightlyParts(
            make=MakeParts(state, walk, secret_bytes, clock.now_ms),
            settings=settings.backup,
            keys=KnownRecipients(data_dir, identity.hq_pub),
            office=lambda stick: HttpBackupOffice(identity.cloud_url, bearer, stick, trust),
            is_day_open=is_day_open,
            clock=clock,
            jitter=Ids(clock).jitter,
        )
    )


def backup(options: Namespace, walk: Walk) -> int:
    """Make a backup now; see `tillbox-edge backup --help`."""
    nightly = nightly_of(options.data, walk, lambda: False)
    if options.to is not None:
        made = nightly.make_into(options.to, "tail" if options.tail else "full")
        _say(_made_words(made))
        return 0
    places = nightly.places()
    if not places:
        raise RefusedError("backup.nowhere")
    failed = 0
    for place in places:
        state = nightly.turn(place)
        failed += bool(state.error)
        said = _failed_words(state.error) if state.error else "sealed, read back, journal walked"
        _say(f"{_PLACES[place]}: {said}.")
    return 1 if failed else 0


def restore(options: Namespace, walk: Walk) -> int:
    """Open a backup, check all of it, and put it where it is wanted."""
    unpacked = open_backup(options.file, options.key, _target(options), walk)
    _say(_opened_words(unpacked))
    if options.put_back:
        done = put_back(unpacked, options.data)
        _say(f"Put into {options.data}: {', '.join(done.files) or 'nothing, all of it was there'}.")
        _say(_NEXT_OWN if done.is_own else _NEXT_OTHER.format(folder=unpacked.folder))
    return 0


def open_backup(file: Path, key: Path, folder: Path, walk: Walk) -> Unpacked:
    """Unpack with a private key, and walk the journals in it; raises as `unpack` does."""
    private = read_key_text(key.read_text(encoding="utf-8"))
    unpacked = unpack(file, by_private(CIPHER, private), folder)
    check_journals(unpacked.manifest, folder, walk)
    return unpacked


_PLACES = {STICK: "On the stick", OFFICE: "At head office"}
_NEXT_OWN = (
    "Start the box: it sees that its journal is an older one and goes on under a new stream."
)
_NEXT_OTHER = """\
Next: `tillbox-edge swap` (or `enrol`) with a claim from the console, then hand in what head office
has not got: tillbox-edge salvage {folder}"""


def _target(options: Namespace) -> Path:
    if options.into is not None:
        into: Path = options.into
        return into
    made = about(file_chunks(options.file))
    # Nothing of this is proven yet, and it becomes the name of a folder.
    if made.kind != KIND or not is_device_id(made.made_by) or not 0 <= made.at_ms < _AT_MS_MAX:
        raise RefusedError("backup.form")
    when = datetime.fromtimestamp(made.at_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    return Path(options.data) / "restored" / f"{made.made_by}-{when}"


def _made_words(made: Made) -> str:
    entries = sum(each.head + 1 for each in made.manifest.journals)
    return (
        f"{made.path}: {made.size / 1e6:,.1f} MB, {entries:,} entries; sealed, read back and"
        " walked from end to end. Only head office's backup key opens it."
    )


def _opened_words(unpacked: Unpacked) -> str:
    manifest = unpacked.manifest
    when = datetime.fromtimestamp(manifest.at_ms / 1000, UTC)
    first = (
        f"Backup of {manifest.dev}, store {manifest.store_id} ({manifest.store_name}), made"
        f" {when:%Y-%m-%d %H:%M} UTC: whole, signed by its journal key, unpacked in"
        f" {unpacked.folder}."
    )
    lines = [
        f"  journal {each.stream}: up to entry {each.head}, {each.tail} of them as signed copies"
        for each in manifest.journals
    ]
    return "\n".join((first, *lines))


def _failed_words(code: str) -> str:
    return f"FAILED, {sentence(RetailError(code))}".rstrip(".")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
