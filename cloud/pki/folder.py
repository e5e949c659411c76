"""The authorities' files: a key and its certificate in one file each, and what others may read.

`<kind>-ca.key` signs, `<kind>-ca-next.key` will, `<kind>-ca-old.key` did: so a CA is replaced
while certificates of both count.  `<kind>-ca.pem` is the bundle of their certificates.
"""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from cloud.pki import authority
from cloud.pki.authority import DAY_MS, Authority, Revoked
from cloud.settings import Settings
from shared.kernel.errors import CorruptError, RefusedError, UnavailableError

Kind = Literal["device", "chain"]
KINDS: tuple[Kind, ...] = ("device", "chain")
KEY_MODE, PUBLIC_MODE = 0o600, 0o644
SERIAL_BYTES = 20
KNOWN_DAYS: dict[Kind, int] = {"device": 1, "chain": authority.DEVICE_DAYS}
"""So long a new CA is made known before it signs: brokers get the device CA by their next
provisioning, boxes get the chain CA with their next certificate."""
_NOW, _NEXT, _OLD = "", "-next", "-old"

Random = Callable[[int], bytes]
"""So many bytes that nobody can guess."""


@dataclass(frozen=True, slots=True)
class CaFolder:
    """The folder `ca_dir`. `device_pem` stands in place of the device CA's file, if not empty."""

    path: Path
    random: Random
    device_pem: str = ""

    def init(self, dns_suffix: str, at_ms: int) -> None:
        """Make both CAs, or finish what was cut in the middle of that: nobody knows them yet.

        RefusedError `ca.exists` or `ca.dns_suffix`; UnavailableError `ca.missing` for a CA that
        others know already and whose key is gone.
        """
        self.path.mkdir(parents=True, exist_ok=True, mode=0o755)
        with self.locked():
            if all(self._public(kind).exists() for kind in KINDS):
                raise RefusedError("ca.exists", folder=str(self.path))
            fresh = {"chain": self._fresh("chain", at_ms, dns_suffix)}
            fresh["device"] = self._fresh("device", at_ms, "")
            for kind in KINDS:
                if not self._is_begun(kind, dns_suffix):
                    self._write_secret(self._file(kind), _pem_of(fresh[kind]))
            self._publish()

    def signer(self, kind: Kind) -> Authority:
        """The CA that signs now.

        Raises UnavailableError `ca.missing`, RefusedError `ca.readable`, CorruptError `ca.damaged`.
        """
        if kind == "device" and self.device_pem:
            return _authority_of(self.device_pem.encode(), "ca_device_pem")
        path, upcoming = self._file(kind), self._file(kind, _NEXT)
        # A switch that was cut in the middle has put the old one away already.
        return _read(path if path.exists() or not upcoming.exists() else upcoming)

    def authorities(self, kind: Kind) -> list[Authority]:
        """All that count, the signing one first."""
        others = (self._file(kind, part) for part in (_NOW, _NEXT, _OLD))
        found = [self.signer(kind), *(_read(path) for path in others if path.exists())]
        return list({each.certificate.serial_number: each for each in found}.values())

    def bundle(self, kind: Kind) -> str:
        """The certificates of all that count, as PEM."""
        return "".join(_public_pem(each.certificate) for each in self.authorities(kind))

    def roll(self, kind: Kind, at_ms: int) -> Authority:
        """Make the next CA known; the present one signs on. RefusedError `ca.rolling`.

        A next one that nobody was told of is from a roll that was cut: another one is made.
        """
        with self.locked():
            if self._file(kind, _OLD).exists() or self._is_next_known(kind):
                raise RefusedError("ca.rolling", kind=kind)
            present = self.signer(kind)
            suffix = authority.dns_suffix_of(present.certificate) if kind == "chain" else ""
            fresh = self._fresh(kind, at_ms, suffix)
            self._write_secret(self._file(kind, _NEXT), _pem_of(fresh))
            self._publish()
        return fresh

    def switch(self, kind: Kind, at_ms: int, *, is_forced: bool = False) -> Authority:
        """Let the next CA sign.

        Raises RefusedError `ca.no_next`, or `ca.too_early` while some may not know it.
        """
        with self.locked():
            upcoming = self._file(kind, _NEXT)
            if not upcoming.exists() and self._mended(kind):
                return self.signer(kind)  # only the bundle was left to write
            if not self._is_next_known(kind):
                raise RefusedError("ca.no_next", kind=kind)
            fresh = _read(upcoming)
            known_ms = at_ms - authority.begin_ms(fresh.certificate)
            if known_ms < KNOWN_DAYS[kind] * DAY_MS and not is_forced:
                left = KNOWN_DAYS[kind] - known_ms // DAY_MS
                raise RefusedError("ca.too_early", kind=kind, days=left)
            if self._file(kind).exists():
                self._file(kind).replace(self._file(kind, _OLD))
            upcoming.replace(self._file(kind))
            self._publish()
        return fresh

    def retire(self, kind: Kind) -> None:
        """Forget the old CA; whatever it signed counts no more. RefusedError `ca.no_old`."""
        with self.locked():
            old = self._file(kind, _OLD)
            if not old.exists():
                if self._mended(kind):
                    return
                raise RefusedError("ca.no_old", kind=kind)
            old.unlink()
            self._publish()

    def server(self, names: Iterable[str], at_ms: int) -> tuple[str, str]:
        """A server's new key, and its certificate with the CA's, both PEM.

        RefusedError `ca.server_name`.
        """
        issuer, key = self.signer("chain"), authority.new_key()
        serial = authority.serial_of(self.random(SERIAL_BYTES))
        made = authority.server_certificate(issuer, key.public_key(), names, serial, at_ms)
        return _key_pem(key), _public_pem(made) + _public_pem(issuer.certificate)

    def good_until(self, pem: Path, key: Path, names: list[str], at_ms: int) -> int | None:
        """The end (UTC ms) of a server's certificate that need not be made anew.

        It is for exactly these names, from the CA that signs now, fits the key and is in the
        first two thirds of its life.
        """
        try:
            made = x509.load_pem_x509_certificate(pem.read_bytes())
            pair = load_pem_private_key(key.read_bytes(), password=None)
        except (OSError, ValueError, TypeError):
            return None
        root = self.signer("chain").certificate
        is_ours = made.issuer == root.subject and made.public_key() == pair.public_key()
        if not is_ours or authority.names_of(made) != set(names):
            return None
        return authority.end_ms(made) if not authority.is_due(made, at_ms) else None

    def device(self, key: ec.EllipticCurvePublicKey, dev: str, at_ms: int) -> x509.Certificate:
        """A box's new certificate."""
        serial = authority.serial_of(self.random(SERIAL_BYTES))
        return authority.device_certificate(self.signer("device"), key, dev, serial, at_ms)

    def revocation_lists(self, revoked: Iterable[Revoked], at_ms: int) -> str:
        """The lists of all device CAs, PEM: a broker wants one of each CA that it trusts."""
        gone, number = list(revoked), at_ms // 1000
        lists = (
            authority.revocation_list(issuer, gone, number, at_ms)
            for issuer in self.authorities("device")
        )
        return "".join(each.public_bytes(Encoding.PEM).decode() for each in lists)

    def _fresh(self, kind: Kind, at_ms: int, dns_suffix: str) -> Authority:
        key, serial = authority.new_key(), authority.serial_of(self.random(SERIAL_BYTES))
        if kind == "device":
            return authority.device_ca(key, serial, at_ms)
        return authority.chain_ca(key, serial, at_ms, dns_suffix)

    def _is_begun(self, kind: Kind, dns_suffix: str) -> bool:
        """Whether a CA's key is there from an init that was cut."""
        if not self._file(kind).exists():
            if self._public(kind).exists():
                raise UnavailableError("ca.missing", file=str(self._file(kind)))
            return False
        begun = _read(self._file(kind))
        if kind == "chain" and authority.dns_suffix_of(begun.certificate) != dns_suffix:
            raise RefusedError("ca.exists", folder=str(self.path))
        return True

    def _is_next_known(self, kind: Kind) -> bool:
        """Whether there is a next CA that others were told of."""
        upcoming, told = self._file(kind, _NEXT), self._public(kind)
        if not upcoming.exists() or not told.exists():
            return False
        known = x509.load_pem_x509_certificates(told.read_bytes())
        return _read(upcoming).certificate in known

    def _mended(self, kind: Kind) -> bool:
        """Write the bundles that a cut left behind; whether this CA's was one of them."""
        told = self._public(kind)
        is_behind = told.exists() and told.read_text(encoding="ascii") != self.bundle(kind)
        if is_behind:
            self._publish()
        return is_behind

    def _publish(self) -> None:
        for kind in KINDS:
            replace_file(self._public(kind), self.bundle(kind), PUBLIC_MODE)

    def _public(self, kind: Kind) -> Path:
        return self.path / f"{kind}-ca.pem"

    def _write_secret(self, path: Path, text: str) -> None:
        replace_file(path, text, KEY_MODE)

    def _file(self, kind: Kind, part: str = _NOW) -> Path:
        return self.path / f"{kind}-ca{part}.key"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else changes the folder meanwhile."""
        with (self.path / ".lock").open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            for draft in self.path.glob(".*-ca*.key.*"):  # keys of whoever was cut while writing
                draft.unlink()
            yield


def ca_of(settings: Settings, random: Random) -> CaFolder | None:
    """The chain's CAs; None where boxes have passwords alone."""
    if not settings.ca_dir:
        return None
    return CaFolder(Path(settings.ca_dir), random, settings.ca_device_pem)


def replace_file(path: Path, text: str, mode: int) -> None:
    """Write a file whole or not at all; one that is there keeps its owner where we may.

    Several workers may write the same one: each has a draft of its own.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    fresh = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            os.fchmod(handle, mode)
            _keep_owner(path, handle)
            file.write(text)
            file.flush()
            os.fsync(handle)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _keep_owner(path: Path, handle: int) -> None:
    if not path.exists():
        return
    old = path.stat()
    if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
        with suppress(PermissionError):  # only root may give a file away
            os.fchown(handle, old.st_uid, old.st_gid)


def _read(path: Path) -> Authority:
    try:
        pem = path.read_bytes()
    except FileNotFoundError:
        raise UnavailableError("ca.missing", file=str(path)) from None
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise RefusedError("ca.readable", file=str(path))
    return _authority_of(pem, str(path))


def _authority_of(pem: bytes, place: str) -> Authority:
    try:
        key = load_pem_private_key(pem, password=None)
        certificate = x509.load_pem_x509_certificate(pem)
        is_pair = certificate.public_key() == key.public_key()
    except (ValueError, TypeError):
        raise CorruptError("ca.damaged", file=place) from None
    if not is_pair or not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CorruptError("ca.damaged", file=place)
    return Authority(certificate, key)


def _pem_of(made: Authority) -> str:
    return _key_pem(made.key) + _public_pem(made.certificate)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _public_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
