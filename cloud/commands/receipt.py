"""`tillbox-cloud receipt verify`: in the database, or offline by a proof and a public key."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from pathlib import Path

from cloud import kept
from cloud.commands.say import say
from cloud.db import database_of
from cloud.migrations.state import require_migrated
from cloud.receipt.service import SHOWN, Finding, Standing, look_up
from cloud.settings import Settings
from cloud.signing import is_signed_by, read_hq_key
from cloud.texts import texts_of
from shared.journal.proof import ReceiptProof, check_proof, proof_bytes, read_proof
from shared.kernel.errors import CorruptError, MissingError, RefusedError
from shared.kernel.hexadecimal import is_hex
from shared.sale.receipt_code import (
    ReceiptLink,
    parse_receipt_url,
    receipt_code,
    receipt_link,
)

KEY_BYTES = 32
NAMES = 4


def verify(settings: Settings, chosen: Namespace) -> int:
    """Tell how a receipt stands; 0 when it does, 1 otherwise.

    Raises RefusedError `receipt.address`, `receipt.nothing`, `hq_key.form`, `proof.form`.
    """
    link = _link(chosen.receipt)
    if chosen.proof is not None:
        return _offline(_key(settings, chosen.hq_pub), chosen.proof, link)
    if link is None:
        raise RefusedError("receipt.nothing")
    with closing(database_of(settings)) as database:
        require_migrated(database)
        with database.begin() as connection:
            finding = look_up(connection, link, _key(settings, chosen.hq_pub))
    _tell(finding)
    if chosen.save is not None:
        if finding.proof is None:
            raise MissingError("receipt.no_proof")
        chosen.save.write_bytes(proof_bytes(finding.proof) + b"\n")
        say(f"The proof, with the receipt's contents, is in {chosen.save}.")
    return 0 if finding.standing in SHOWN - {Standing.BROKEN} else 1


def _offline(hq_pub: bytes, path: Path, link: ReceiptLink | None) -> int:
    proof = read_proof(path.read_bytes())
    check_proof(proof, hq_pub, is_signed_by)
    code = _printed_code(proof)
    if link is not None and link.code != code:
        raise CorruptError("receipt.other_code", code=link.code, proved=code)
    tree = proof.tree.head
    say(f"The receipt with the check code {code} stands.")
    say(f"Entry {proof.seq} of journal {proof.stream} leads to the root of {tree.day} (UTC),")
    say(f"{tree.root.hex()}, which head office has signed.")
    if proof.body:
        _tell_sale(proof)
    return 0


def _printed_code(proof: ReceiptProof) -> str:
    """What the receipt bears: of the entry itself, or of the one that it carries."""
    kind = str(kept.fields_of(proof.body).get("type"))
    entry = kept.KeptEntry(proof.stream, proof.seq, "", kind, proof.body, proof.hash)
    original = kept.original_of(entry) or entry
    return receipt_code(original.hash)


def _tell(finding: Finding) -> None:
    texts, name = texts_of("en"), finding.standing.value
    told = texts[f"proof_page.{name}_text"].replace("{day}", finding.day)
    say(f"{texts[f'proof_page.{name}']}. {told}")
    if finding.sale is not None and finding.place is not None:
        totals = finding.sale["data"]["sale"]["totals"]
        currency = finding.place.currency
        say(f"{totals['net_minor']} minor units of {currency}, {totals['units']} items.")


def _tell_sale(proof: ReceiptProof) -> None:
    sale = kept.fields_of(proof.body).get("data", {}).get("sale")
    if sale is not None:
        totals = sale["totals"]
        say(f"It is receipt {sale['receipt_no']}: {totals['net_minor']} minor units,")
        say(f"{totals['units']} items, {totals['lines']} lines.")


def _link(words: list[str]) -> ReceiptLink | None:
    if not words:
        return None
    link = None
    if len(words) == 1:
        link = parse_receipt_url(words[0])
    elif len(words) == NAMES:
        link = receipt_link(*words)
    if link is None:
        raise RefusedError("receipt.address", text=" ".join(words)[:120])
    return link


def _key(settings: Settings, given: str | None) -> bytes:
    """The public key that was given, else head office's own."""
    if given is None:
        return bytes.fromhex(read_hq_key(Path(settings.hq_key_file)).public_hex)
    if not is_hex(given.lower(), KEY_BYTES):
        raise RefusedError("hq_key.form")
    return bytes.fromhex(given)
