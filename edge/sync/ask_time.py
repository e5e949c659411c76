"""Ask head office what time it is, and keep what is known of the time on disk.

The answer is signed by the key that sets the prices, and bound to the question. Nothing secret is
sent, and the certificate of the other side is not looked at: a box whose clock stands at 1970
could believe none.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.identity import Identity
from edge.sync.backoff import full_jitter_ms
from edge.sync.metrics import TIME_ANSWERS
from edge.trusted_time import TrustedTime
from shared.kernel.errors import CorruptError, RetailError, UnavailableError
from shared.kernel.trusted_time import DISPUTE_MS, NONCE_BYTES, time_statement

KEEP_EVERY_S = 60.0
"""How much of the time since may be forgotten when the power goes."""
ASK_EVERY_MS = 6 * 3600 * 1000
"""How often to ask while the time is trusted."""
CONNECTED_MS = 3600 * 1000
"""How long an answer is good enough when a connection is made again."""
DOUBT_EVERY_MS = 300_000
"""How often at most an acknowledgement makes the box ask."""
FIRST_LOOK_S = 2.0
"""After the start, so that the tills come first."""
RETRY_BASE_MS = 2000
TAKES_MAX_MS = 2000
"""An answer that took longer says too little about now."""
ANSWER_BYTES_MAX = 4096
_TIMEOUT_S = 5.0
_JOIN_S = 6.0
_OK = 200
_log = structlog.get_logger("time")


class TimeKeeper:
    """One thread: asks when it has to, and writes down what is known each minute.

    `jitter` gives uniform numbers in [0, 1), `nonce` unpredictable bytes.
    """

    def __init__(
        self,
        identity: Identity,
        time: TrustedTime,
        jitter: Callable[[], float],
        nonce: Callable[[int], bytes],
    ) -> None:
        self._url = f"{identity.cloud_url.rstrip('/')}/v1/time"
        self._hq = Ed25519PublicKey.from_public_bytes(bytes.fromhex(identity.hq_pub))
        self._time = time
        self._jitter = jitter
        self._nonce = nonce
        self._asked_at_ms: int | None = None
        self._doubt_from_ms = 0
        self._failures = 0
        self._wake = threading.Event()
        self._is_stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="time", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, and write down what is known."""
        self._is_stopping = True
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)
        self._time.keep()

    def connected(self) -> None:
        """There is a network again: ask, unless it was done a while ago."""
        asked = self._asked_at_ms
        if asked is not None and self._time.mono_ms() - asked >= CONNECTED_MS:
            self._asked_at_ms = None
        self._wake.set()

    def told(self, at_ms: int) -> None:
        """Hear what an acknowledgement says of the time (UTC ms): unsigned, so only to ask by."""
        now_ms, mono_ms = self._time.now_ms(), self._time.mono_ms()
        is_doubted = abs(at_ms - now_ms) > DISPUTE_MS
        if is_doubted and mono_ms >= self._doubt_from_ms:
            self._doubt_from_ms = mono_ms + DOUBT_EVERY_MS
            self._asked_at_ms = None
            self._wake.set()

    def ask(self) -> None:
        """Ask once and believe the answer.

        Raises UnavailableError `time.unreachable` or `time.slow`, CorruptError `time.signature`.
        """
        nonce = self._nonce(NONCE_BYTES)
        begun_ms = self._time.mono_ms()
        told_ms, signature = self._post(nonce)
        took_ms = self._time.mono_ms() - begun_ms
        try:
            self._hq.verify(signature, time_statement(nonce, told_ms))
        except InvalidSignature:
            raise CorruptError("time.signature") from None
        if took_ms > TAKES_MAX_MS:
            raise UnavailableError("time.slow", took_ms=took_ms)
        self._time.heard(told_ms + took_ms // 2)

    def _run(self) -> None:
        self._wake.wait(FIRST_LOOK_S)
        while not self._is_stopping:
            wait_s = KEEP_EVERY_S
            if self._is_due():
                wait_s = self._try()
            self._wake.wait(wait_s)
            self._wake.clear()
            self._time.keep()

    def _is_due(self) -> bool:
        if self._asked_at_ms is None or not self._time.is_trusted():
            return True
        return self._time.mono_ms() - self._asked_at_ms >= ASK_EVERY_MS

    def _try(self) -> float:
        """Ask; seconds until the next look."""
        try:
            self.ask()
        except RetailError as error:
            TIME_ANSWERS.labels(error.code).inc()
            _log.info("time.no_answer", code=error.code, because=str(error))
        except Exception:  # noqa: BLE001 - outermost loop: without this thread no minute is kept
            TIME_ANSWERS.labels("crashed").inc()
            _log.exception("time.crashed")
        else:
            TIME_ANSWERS.labels("ok").inc()
            self._failures, self._asked_at_ms = 0, self._time.mono_ms()
            return KEEP_EVERY_S
        self._failures += 1
        wait_ms = full_jitter_ms(self._failures, RETRY_BASE_MS, self._jitter())
        return min(max(wait_ms / 1000, 1.0), KEEP_EVERY_S)

    def _post(self, nonce: bytes) -> tuple[int, bytes]:
        from httpx import Client, HTTPError, InvalidURL  # noqa: PLC0415 - as in edge.sync.fetch

        try:
            # The signature vouches for the answer; see above.
            with (
                Client(verify=False, timeout=_TIMEOUT_S) as client,  # noqa: S501 - the answer itself is signed
                client.stream("POST", self._url, json={"nonce": nonce.hex()}) as answer,
            ):
                if answer.status_code != _OK:
                    raise UnavailableError("time.unreachable", status=answer.status_code)
                told = json.loads(self._body(answer.iter_raw()))
            return _whole(told["t"]), bytes.fromhex(told["sig"])
        except (HTTPError, InvalidURL, RuntimeError) as error:
            raise UnavailableError("time.unreachable") from error
        except (ValueError, KeyError, TypeError):
            raise CorruptError("time.signature") from None

    def _body(self, chunks: Iterable[bytes]) -> bytes:
        """The answer; whoever sends it may be anybody, so it is short and comes soon."""
        begun_ms, body = self._time.mono_ms(), b""
        for chunk in chunks:
            body += chunk
            if len(body) > ANSWER_BYTES_MAX:
                raise CorruptError("time.signature")
            took_ms = self._time.mono_ms() - begun_ms
            if took_ms > TAKES_MAX_MS:
                raise UnavailableError("time.slow", took_ms=took_ms)
        return body


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise ValueError
    return value
