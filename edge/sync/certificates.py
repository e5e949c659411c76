"""Keeps this box's certificate fresh, and knows the way to the broker with it.

A new key and certificate come over HTTPS when two thirds of the old one's life are over, also
long after its end: then the box's secret and its journal key say who it is.  The old one is kept
until the broker has let us in with the new one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.identity import Identity
from edge.sync.backoff import full_jitter_ms
from edge.sync.metrics import CERTIFICATES
from edge.sync.mqtt import Way
from edge.tls import BoxCertificate, BoxKeys
from shared.kernel.clock import Clock
from shared.kernel.errors import CorruptError, RefusedError, RetailError, UnavailableError
from shared.wire.certificate import renewal_statement, trust_statement

FIRST_LOOK_S = 60.0
LOOK_EVERY_S = 3600.0
RETRY_BASE_MS = 30_000
REFUSED_OFTEN = 6
REFUSED_EVERY_MS = 86_400_000
"""After so many refusals in a row a certificate that should be good is asked for anew, once a day:
it may have been revoked, and the box reinstated."""
NO_CA = "ca.none"
KEY_REVOKED = "certificate.revoked"
"""Its answer got lost before the box was shut out: once reinstated, it needs another key."""
CLOCK_OFF = "certificate.clock"
_NOW_MS_MAX = 1 << 53
_TIMEOUT_S, _CONNECT_TIMEOUT_S = 20.0, 5.0
_OK, _SERVER_FAILED = 200, 500
_JOIN_S = 5.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CertificateParts:
    """What the keeper works with.

    `sign` is the journal key's; `renewed` has the line connect anew.
    """

    identity: Identity
    keys: BoxKeys
    sign: Callable[[bytes], bytes]
    time: Clock
    jitter: Callable[[], float]
    renewed: Callable[[], None]


class CertificateKeeper:
    """One thread that looks now and then, and asks head office when it is time."""

    def __init__(self, parts: CertificateParts) -> None:
        self._parts = parts
        self._hq = Ed25519PublicKey.from_public_bytes(bytes.fromhex(parts.identity.hq_pub))
        self._wake = threading.Event()
        self._is_stopping = False
        self._was_new_one = False
        self._refused = 0
        self._refused_at_ms: int | None = None
        self._failures = 0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; boxes that start together do not ask together."""
        self._thread = threading.Thread(target=self._run, name="certificates", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the request in hand."""
        self._is_stopping = True
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def way(self) -> Way:
        """How to reach the broker now.

        A certificate that was never tried takes turns with the one before it, or with the secret
        that a box has from a time without certificates: once a broker let it in with one, it
        never sends its secret to a broker again. Raises CorruptError `tls.certificate`, OSError.
        """
        identity, keys = self._parts.identity, self._parts.keys
        upcoming, current = _sound(keys.upcoming), _sound(keys.current)
        has_other = current is not None or not keys.was_let_in()
        is_new_one_next = upcoming is not None and not (self._was_new_one and has_other)
        self._was_new_one = is_new_one_next
        used = upcoming if is_new_one_next else current
        if used is None and keys.was_let_in():
            raise CorruptError("tls.certificate", path=str(keys.folder))
        if used is None:
            return Way(identity.broker_host, identity.broker_port)
        chosen, context = used, keys.broker_context(used)
        return Way(chosen.host, chosen.port, context, lambda: self._let_in(chosen), self._shut_out)

    def renew(self) -> None:
        """Ask for the next certificate and keep it, to be tried with the next connection.

        Raises UnavailableError `certificate.unreachable`, RefusedError with head office's code or
        `tls.answer`, CorruptError `certificate.signature`.
        """
        parts, identity = self._parts, self._parts.identity
        csr = parts.keys.request()
        try:
            answer = self._asked(csr)
        except RefusedError as error:
            if error.params.get("because") == KEY_REVOKED:
                parts.keys.forget_request()
            raise
        try:
            trust = str(answer["trust"]).encode()
            self._hq.verify(
                bytes.fromhex(answer["trust_sig"]), trust_statement(identity.dev, trust)
            )
        except (InvalidSignature, KeyError, ValueError, TypeError):
            raise CorruptError("certificate.signature") from None
        parts.keys.accept(answer)
        parts.renewed()

    def _asked(self, csr: str) -> dict[str, Any]:
        """Ask by this box's time; where head office says that it is off, by head office's.

        The instant shows only that the request is fresh: who says it lets nobody in by it.
        """
        try:
            return self._post(self._signed(csr, self._parts.time.now_ms()))
        except RefusedError as error:
            told_ms = error.params.get("now_ms")
            if error.params.get("because") != CLOCK_OFF or not isinstance(told_ms, int):
                raise
            return self._post(self._signed(csr, told_ms))

    def _signed(self, csr: str, t_ms: int) -> dict[str, Any]:
        statement = renewal_statement(self._parts.identity.dev, csr.encode(), t_ms)
        return {"csr": csr, "t": t_ms, "proof": self._parts.sign(statement).hex()}

    def _let_in(self, used: BoxCertificate) -> None:
        self._refused = 0
        self._parts.keys.proved(used)
        self._was_new_one = False

    def _shut_out(self) -> None:
        CERTIFICATES.labels("shut_out").inc()
        self._refused += 1
        if self._refused == REFUSED_OFTEN:
            self._wake.set()

    def _run(self) -> None:
        wait_s = FIRST_LOOK_S * self._parts.jitter()
        while not self._is_stopping:
            self._wake.wait(wait_s)
            self._wake.clear()
            wait_s = LOOK_EVERY_S
            if self._is_due():
                wait_s = self._try()

    def _is_due(self) -> bool:
        if self._is_stopping:
            return False
        newest, now_ms = _sound(self._parts.keys.newest), self._parts.time.now_ms()
        return newest is None or newest.is_due(now_ms) or self._is_refused()

    def _is_refused(self) -> bool:
        now_ms, last_ms = self._parts.time.mono_ms(), self._refused_at_ms
        is_often = self._refused >= REFUSED_OFTEN
        if not is_often or (last_ms is not None and now_ms - last_ms < REFUSED_EVERY_MS):
            return False
        self._refused_at_ms = now_ms
        return True

    def _try(self) -> float:
        """Ask; seconds until the next look."""
        try:
            self.renew()
        except RetailError as error:
            CERTIFICATES.labels(error.code).inc()
            if error.code == NO_CA:  # boxes of this chain have passwords
                return LOOK_EVERY_S
            _log.warning("certificate.not_renewed", code=error.code, because=str(error))
        except Exception:  # noqa: BLE001 - outermost loop: the next certificate must come
            CERTIFICATES.labels("crashed").inc()
            _log.exception("certificate.crashed")
        else:
            CERTIFICATES.labels("ok").inc()
            self._failures = 0
            return LOOK_EVERY_S
        self._failures += 1
        wait_ms = full_jitter_ms(self._failures, RETRY_BASE_MS, self._parts.jitter())
        return max(wait_ms / 1000, 1.0)

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        from httpx import Client, HTTPError, InvalidURL, Timeout  # noqa: PLC0415 - see edge.sync.fetch

        identity = self._parts.identity
        url = f"{identity.cloud_url.rstrip('/')}/v1/device/certificate"
        headers = {"Authorization": f"Bearer {identity.dev}.{identity.secret}"}
        timeout = Timeout(_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S)
        try:
            with Client(verify=self._parts.keys.https_trust(), timeout=timeout) as client:
                response = client.post(url, json=body, headers=headers)
            answer = response.json()
        except (HTTPError, InvalidURL, OSError, ValueError) as error:
            raise UnavailableError("certificate.unreachable", url=url) from error
        if response.status_code >= _SERVER_FAILED or not isinstance(answer, dict):
            raise UnavailableError("certificate.unreachable", url=url)
        if response.status_code != _OK:
            code = str(answer.get("code", ""))
            if code == NO_CA:
                raise RefusedError(NO_CA)
            raise RefusedError("certificate.refused", because=code, **_now_of(answer))
        return answer


def _now_of(answer: dict[str, Any]) -> dict[str, int]:
    """Head office's time in a refusal that tells it."""
    params = answer.get("params")
    now_ms = params.get("now_ms") if isinstance(params, dict) else None
    return {"now_ms": now_ms} if isinstance(now_ms, int) and 0 <= now_ms < _NOW_MS_MAX else {}


def _sound(read: Callable[[], BoxCertificate | None]) -> BoxCertificate | None:
    """A certificate; one that is damaged is as good as none, and asked for anew."""
    try:
        return read()
    except CorruptError as error:
        _log.warning("certificate.damaged", because=str(error))
        return None
