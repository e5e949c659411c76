"""Make a box known to the cloud: one token, one key, one answer that may be asked for again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from edge.clock import SystemClock
from edge.identity import Identity, hardware_fingerprint, save_identity
from edge.ids import secret_bytes
from edge.journal.signer import KEY_FILE, Signer, load_or_create
from edge.sync.gate import demand_signatures
from edge.tls import BoxKeys
from shared.kernel.errors import RefusedError, UnavailableError
from shared.wire.enrolment import NONCE_BYTES, enrol_statement

_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
_OK = frozenset({200, 201})
_SERVER_FAILED = 500
_CLOCK = "enrol.clock"
_TOLD = frozenset(
    f"enrol.{code}"
    for code in (
        *("claim_unknown", "claim_expired", "claim_used", "claim_done"),
        *("clock", "copied", "proof", "revoked"),
    )
)
"""Refusals that say themselves what to do."""
_NOW_MS_MAX = 1 << 53


def enrol(data_dir: Path, cloud_url: str, token: str, trust: str = "") -> Identity:
    """Enrol this box and write its `identity.json` (0600).

    Its keys are made first and kept, so that a repeat after a lost answer asks for the same and
    gets the same answer. `trust` (PEM) are certificates that the cloud's may come from beside
    the public ones.  Raises UnavailableError `enrol.unreachable`, RefusedError of the cloud or
    `enrol.refused` (with the cloud's own code), `enrol.answer` or `tls.answer`.
    """
    signer, keys = load_or_create(data_dir / KEY_FILE), BoxKeys(data_dir)
    if trust:
        keys.trust(trust)
    request = {
        "token": token,
        "journal_pub": signer.public_hex,
        "hw_fp": hardware_fingerprint(),
        "prev": None,
        "csr": keys.request(),
    }
    answer = _admitted(f"{cloud_url.rstrip('/')}/v1/enrol", request, keys, signer)
    try:
        identity = Identity.from_answer(answer, cloud_url)
    except (KeyError, TypeError, ValueError) as error:
        raise RefusedError("enrol.answer", field=str(error)) from error
    if answer.get("tls"):
        keys.accept(answer["tls"], is_first=True)
    else:
        keys.forget()
    if answer.get("signed_documents"):
        demand_signatures(data_dir)
    save_identity(data_dir, identity)
    return identity


def _admitted(url: str, request: dict[str, Any], keys: BoxKeys, signer: Signer) -> dict[str, Any]:
    """Ask by this machine's clock; one that has none yet (no battery) goes by the cloud's."""
    now_ms = SystemClock().now_ms()
    try:
        return _ask(url, _signed(request, signer, now_ms), keys)
    except RefusedError as error:
        told_ms = error.params.get("now_ms")
        is_told = isinstance(told_ms, int) and 0 <= told_ms < _NOW_MS_MAX
        if error.code != _CLOCK or not is_told:
            raise
        return _ask(url, _signed(request, signer, int(told_ms or 0)), keys)


def _signed(request: dict[str, Any], signer: Signer, now_ms: int) -> dict[str, Any]:
    """The request with what shows that it is this box's, made now and for this once."""
    nonce, csr = secret_bytes(NONCE_BYTES), str(request["csr"]).encode()
    public = bytes.fromhex(signer.public_hex)
    statement = enrol_statement(str(request["token"]), public, csr, nonce, now_ms)
    proof = signer.sign(statement).hex()
    return {**request, "nonce": nonce.hex(), "t": now_ms, "proof": proof}


def _ask(url: str, request: dict[str, Any], keys: BoxKeys) -> dict[str, Any]:
    try:
        response = httpx.post(url, json=request, timeout=_TIMEOUT, verify=keys.https_trust())
        answer = response.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise UnavailableError("enrol.unreachable", url=url) from error
    if response.status_code >= _SERVER_FAILED or not isinstance(answer, dict):
        raise UnavailableError("enrol.unreachable", url=url)
    if response.status_code not in _OK:
        raise _refusal(answer)
    return answer


def _refusal(answer: dict[str, Any]) -> RefusedError:
    code, params = str(answer.get("code", "")), answer.get("params")
    if code not in _TOLD or not isinstance(params, dict):
        return RefusedError("enrol.refused", because=code)
    told = {str(name): each for name, each in params.items() if isinstance(each, str | int)}
    return RefusedError(code, **told)
