"""What a light box has of the catalogue: revisions and digests, verified, without the records."""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cloud.lightbox.http import LightHttp
from cloud.lightbox.identity import LightIdentity
from shared.kernel.canonical import sha256
from shared.kernel.errors import CorruptError, UnavailableError
from shared.publication.manifest import (
    Manifest,
    parse_manifest,
    pieces_needed,
    signing_statement,
)
from shared.wire.frames import Frame, FrameKind, FrameReader
from shared.wire.message import DesiredCatalog

OK = 200


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where head office is: one HTTP client for all boxes of a process, and HQ's key (hex)."""

    http: LightHttp
    hq_pub: str


@dataclass(slots=True)
class LightCatalog:
    """The staged revision of one box; `fetched_bytes` and `requests` count what it cost."""

    identity: LightIdentity
    cloud: Cloud
    stored_rev: int = 0
    stored_inc: str = ""
    requests: int = 0
    fetched_bytes: int = 0
    _objects: dict[str, bytes] = field(default_factory=dict)

    async def stage(self, wanted: DesiredCatalog, inc: str) -> Manifest:
        """Fetch and verify what leads to a revision, with one request.

        Raises CorruptError `publication.signature`, `publication.other_manifest` or
        `object.hash`, RefusedError `wire.frame`, `wire.frame_cut`, UnavailableError
        `object.refused` or `object.unreachable`.
        """
        self._check_signature(wanted)
        await self._fetch(wanted)
        manifest = parse_manifest(self._object(wanted.sha256))
        stated = (manifest.zone, manifest.rev, manifest.inc)
        if stated != (wanted.zone, wanted.rev, inc):
            raise CorruptError("publication.other_manifest", revision=manifest.rev)
        for piece in pieces_needed(manifest, self.stored_rev, self.stored_inc):
            self._object(piece.sha256)
        self._objects.clear()
        self.stored_rev, self.stored_inc = wanted.rev, inc
        return manifest

    def _check_signature(self, wanted: DesiredCatalog) -> None:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.cloud.hq_pub))
        try:
            statement = signing_statement(bytes.fromhex(wanted.sha256))
            key.verify(bytes.fromhex(wanted.sig), statement)
        except (InvalidSignature, ValueError):
            raise CorruptError("publication.signature", revision=wanted.rev) from None

    def _object(self, name: str) -> bytes:
        data = self._objects.get(name, b"")
        if sha256(data).hex() != name:
            raise CorruptError("object.hash", sha256=name)
        return data

    async def _fetch(self, wanted: DesiredCatalog) -> None:
        asked = {
            "manifest": wanted.sha256,
            "have_rev": self.stored_rev,
            "have_inc": self.stored_inc,
            "take": "inline",
        }
        bearer = f"{self.identity.dev}.{self.identity.secret}"
        answer = await self.cloud.http.post("/v1/catalog/fetch", orjson.dumps(asked), bearer)
        if answer.status != OK:
            raise UnavailableError("object.refused", status=answer.status)
        self.requests += 1
        self.fetched_bytes += len(answer.body)
        self._objects = _bodies(answer.body)


def _bodies(data: bytes) -> dict[str, bytes]:
    """The bodies of an answer's frames by the name that each claims."""
    reader, found, name = FrameReader(), dict[str, bytes](), ""
    for part in reader.feed(data):
        if isinstance(part, Frame):
            name = part.sha256.hex() if part.kind is not FrameKind.END else ""
        else:
            found[name] = found.get(name, b"") + part
    reader.finish()
    return found
