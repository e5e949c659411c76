"""What a light box has of the catalogue: revisions and digests, verified, without the records."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cloud.lightbox.identity import LightIdentity
from shared.kernel.canonical import sha256
from shared.kernel.errors import CorruptError, UnavailableError
from shared.publication.manifest import (
    Manifest,
    parse_manifest,
    pieces_needed,
    signing_statement,
)
from shared.wire.message import DesiredCatalog

OK = 200


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where head office is: one HTTP client for all boxes of a process, and HQ's key (hex)."""

    client: httpx.AsyncClient
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

    async def stage(self, wanted: DesiredCatalog, inc: str) -> Manifest:
        """Fetch and verify what leads to a revision.

        Raises CorruptError `publication.signature`, `publication.other_manifest` or
        `object.hash`, UnavailableError `object.refused` or `object.unreachable`.
        """
        self._check_signature(wanted)
        manifest = parse_manifest(await self._get(wanted.sha256))
        stated = (manifest.zone, manifest.rev, manifest.inc)
        if stated != (wanted.zone, wanted.rev, inc):
            raise CorruptError("publication.other_manifest", revision=manifest.rev)
        for piece in pieces_needed(manifest, self.stored_rev, self.stored_inc):
            await self._get(piece.sha256)
        self.stored_rev, self.stored_inc = wanted.rev, inc
        return manifest

    def _check_signature(self, wanted: DesiredCatalog) -> None:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.cloud.hq_pub))
        try:
            statement = signing_statement(bytes.fromhex(wanted.sha256))
            key.verify(bytes.fromhex(wanted.sig), statement)
        except (InvalidSignature, ValueError):
            raise CorruptError("publication.signature", revision=wanted.rev) from None

    async def _get(self, name: str) -> bytes:
        bearer = f"Bearer {self.identity.dev}.{self.identity.secret}"
        try:
            answer = await self.cloud.client.get(
                f"/v1/objects/{name}", headers={"Authorization": bearer}
            )
        except httpx.HTTPError:
            raise UnavailableError("object.unreachable") from None
        if answer.status_code != OK:
            raise UnavailableError("object.refused", status=answer.status_code)
        data = answer.content
        self.requests += 1
        self.fetched_bytes += len(data)
        if sha256(data).hex() != name:
            raise CorruptError("object.hash", sha256=name)
        return data
