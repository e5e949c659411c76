"""Make a box known to the cloud: one token, one key, one answer that may be asked for again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from edge.identity import Identity, hardware_fingerprint, save_identity
from edge.journal.signer import KEY_FILE, load_or_create
from edge.sync.gate import demand_signatures
from edge.tls import BoxKeys
from shared.kernel.errors import RefusedError, UnavailableError

_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
_OK = frozenset({200, 201})
_SERVER_FAILED = 500


def enrol(data_dir: Path, cloud_url: str, token: str, trust: str = "") -> Identity:
    """Enrol this box and write its `identity.json` (0600).

    Its keys are made first and kept, so that a repeat after a lost answer is the same request
    and gets the same answer. `trust` (PEM) are certificates that the cloud's may come from beside
    the public ones.  Raises UnavailableError `enrol.unreachable`, RefusedError `enrol.refused`
    (with the cloud's own code), `enrol.answer` or `tls.answer`.
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
    answer = _ask(f"{cloud_url.rstrip('/')}/v1/enrol", request, keys)
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


def _ask(url: str, request: dict[str, Any], keys: BoxKeys) -> dict[str, Any]:
    try:
        response = httpx.post(url, json=request, timeout=_TIMEOUT, verify=keys.https_trust())
        answer = response.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise UnavailableError("enrol.unreachable", url=url) from error
    if response.status_code >= _SERVER_FAILED or not isinstance(answer, dict):
        raise UnavailableError("enrol.unreachable", url=url)
    if response.status_code not in _OK:
        raise RefusedError("enrol.refused", because=str(answer.get("code", "")))
    return answer
