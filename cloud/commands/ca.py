"""`tillbox-cloud ca`: the chain's own certificate authorities."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes

from cloud.clock import SystemClock, random_bytes
from cloud.commands.say import say
from cloud.db import database_of
from cloud.fleet.certificates import revocation_lists
from cloud.pki.authority import dns_suffix_of
from cloud.pki.folder import KEY_MODE, KINDS, PUBLIC_MODE, CaFolder, ca_of, replace_file
from cloud.settings import Settings
from shared.kernel.errors import UnavailableError

_ROLLED = """\
The new {kind} CA is known from now on; the old one still signs.
Bring {file} to every broker{and_boxes}.
Then let the new one sign: tillbox-cloud ca switch {kind}"""
_BOXES = " and worker (boxes take it with their next certificate, within 60 days)"
_MADE = """\
Wrote the CAs to {folder}. Keep a copy of its *.key files in a safe place.
Tablets and boxes may trust chain-ca.pem: it vouches for private addresses and names below
{suffix}, for nothing else."""


def init(settings: Settings, chosen: Namespace) -> None:
    """Make both CAs."""
    folder = _folder(settings)
    folder.init(chosen.dns_suffix, SystemClock().now_ms())
    say(_MADE.format(folder=folder.path, suffix=chosen.dns_suffix))


def show(settings: Settings, chosen: Namespace) -> None:
    """List the CAs that count, with their ends and fingerprints."""
    del chosen
    folder = _folder(settings)
    for kind in KINDS:
        signing = folder.signer(kind)
        for each in folder.authorities(kind):
            until = each.certificate.not_valid_after_utc.date()
            role = "signs" if each.certificate == signing.certificate else "counts"
            print_hex = each.certificate.fingerprint(hashes.SHA256()).hex()
            say(f"{kind}\t{role}\tuntil {until}\tsha256 {print_hex}")
    say(f"names below {dns_suffix_of(folder.signer('chain').certificate)}")


def roll(settings: Settings, chosen: Namespace) -> None:
    """Make the next CA known."""
    folder = _folder(settings)
    folder.roll(chosen.kind, SystemClock().now_ms())
    file = folder.path / f"{chosen.kind}-ca.pem"
    and_boxes = _BOXES if chosen.kind == "chain" else ""
    say(_ROLLED.format(kind=chosen.kind, file=file, and_boxes=and_boxes))


def switch(settings: Settings, chosen: Namespace) -> None:
    """Let the next CA sign."""
    folder = _folder(settings)
    folder.switch(chosen.kind, SystemClock().now_ms(), is_forced=chosen.force)
    say(f"The new {chosen.kind} CA signs. The old one counts until: ca retire {chosen.kind}")


def retire(settings: Settings, chosen: Namespace) -> None:
    """Forget the old CA."""
    _folder(settings).retire(chosen.kind)
    say(f"The old {chosen.kind} CA counts no more.")


def crl(settings: Settings, chosen: Namespace) -> None:
    """Write which boxes' certificates count no more, as the worker does daily."""
    folder, now_ms = _folder(settings), SystemClock().now_ms()
    place = chosen.out or Path(settings.broker_crl_file or folder.path / "device.crl")
    with closing(database_of(settings)) as database:
        replace_file(place, revocation_lists(database, folder, now_ms), PUBLIC_MODE)
    say(f"Wrote {place}.")


def server_cert(settings: Settings, chosen: Namespace) -> None:
    """Make a server's key and certificate, unless those that are there are good for a while."""
    folder, now_ms = _folder(settings), SystemClock().now_ms()
    pem, key = chosen.out / "server.pem", chosen.out / "server.key"
    until = folder.good_until(pem, key, chosen.name, now_ms)
    if until is not None:
        say(f"{pem} is good until {_day(until)}: nothing to do.")
        return
    made_key, made = folder.server(chosen.name, now_ms)
    chosen.out.mkdir(parents=True, exist_ok=True)
    replace_file(key, made_key, KEY_MODE)
    replace_file(pem, made, PUBLIC_MODE)
    say(f"Wrote {pem} and {key}.")


def _folder(settings: Settings) -> CaFolder:
    found = ca_of(settings, random_bytes)
    if found is None:
        raise UnavailableError("ca.no_folder")
    return found


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).date().isoformat()
