"""Lets desired documents in: head office's own, for this box, not run out.

The broker keeps these documents, so it could change one, give us another box's or an old one.
Once a box has seen a signed document, or was told at enrolment that they are, it takes no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.identity import SECRET_FILE_MODE, Identity, sync_folder
from edge.trusted_time import TrustedTime
from shared.kernel.errors import RefusedError
from shared.wire.message import DesiredState, parse_message
from shared.wire.signed import desired_statement, split_signature

SIGNED_FILE = "signed_documents"
"""In the data folder: this box takes signed documents only."""


@dataclass(slots=True)
class Gate:
    """`data_dir` remembers over a restart that documents are signed; None for in memory only."""

    identity: Identity
    time: TrustedTime
    data_dir: Path | None = None
    _has_seen_signed: bool = False

    def admit(self, payload: bytes) -> DesiredState:
        """A document that may be gone by.

        Raises RefusedError `desired.unsigned`, `desired.signature`, `desired.other_box`,
        `desired.expired`, or those of `parse_message`.
        """
        parts = split_signature(payload)
        if parts is None:
            if self._is_strict():
                raise RefusedError("desired.unsigned")
            return parse_message(DesiredState, payload)
        body, signature = parts
        try:
            hq = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.identity.hq_pub))
            hq.verify(signature, desired_statement(body))
        except (InvalidSignature, ValueError):
            raise RefusedError("desired.signature") from None
        state = parse_message(DesiredState, body)
        if state.dev != self.identity.dev:
            raise RefusedError("desired.other_box", dev=state.dev)
        if self.time.is_trusted() and self.time.now_ms() >= state.not_after:
            raise RefusedError("desired.expired", gen=state.gen)
        if not self._is_strict():
            self._has_seen_signed = True
            if self.data_dir is not None:
                demand_signatures(self.data_dir)
        return state

    def _is_strict(self) -> bool:
        if self._has_seen_signed:
            return True
        return self.data_dir is not None and (self.data_dir / SIGNED_FILE).exists()


def demand_signatures(data_dir: Path) -> None:
    """Let this box take signed documents only, from now on."""
    (data_dir / SIGNED_FILE).touch(mode=SECRET_FILE_MODE)
    sync_folder(data_dir)
