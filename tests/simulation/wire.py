"""How messages travel: as objects, or in the product's own bytes.

Bytes cost five times as much as all the rest, so only some seeds use them.
"""

from __future__ import annotations

from shared.journal.chain import chain_hashes
from shared.wire.batch import BatchHeader, decode_batch, encode_batch
from shared.wire.message import Ack, message_bytes, parse_message
from tests.simulation.cloud import Batch

NO_SIGNATURE = "00" * 64


class Wire:
    """`is_bytes`: encode and decode every message."""

    def __init__(self, *, is_bytes: bool) -> None:
        self._is_bytes = is_bytes

    def sent(self, batch: Batch) -> Batch | bytes:
        """What the box hands to the broker."""
        if not self._is_bytes:
            return batch
        head = chain_hashes(batch.stream, batch.first_seq, batch.prev, batch.bodies)[-1]
        header = BatchHeader(
            stream=batch.stream.hex(),
            from_seq=batch.first_seq,
            count=len(batch.bodies),
            prev=batch.prev.hex(),
            head=head.hex(),
            sig=NO_SIGNATURE,
            edge_head=batch.edge_head,
            boot=1,
            mono=0,
            t=0,
            sw="simulated",
        )
        return encode_batch(header, batch.bodies)

    def received(self, dev: str, carried: Batch | bytes) -> Batch:
        """What a worker reads."""
        if isinstance(carried, Batch):
            return carried
        header, bodies = decode_batch(carried)
        stream, prev = bytes.fromhex(header.stream), bytes.fromhex(header.prev)
        return Batch(dev, stream, header.from_seq, prev, bodies, header.edge_head)

    def answered(self, ack: Ack) -> Ack | bytes:
        """What a worker hands to the broker."""
        return message_bytes(ack) if self._is_bytes else ack

    def heard(self, carried: Ack | bytes) -> Ack:
        """What the box reads."""
        return carried if isinstance(carried, Ack) else parse_message(Ack, carried)
