"""Fetch content-addressed objects: streamed to a file, hashed on the way, never whole in memory.

All that leads to a revision comes with one request; what did not come with it, singly.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_base

from edge.identity import Identity
from edge.sync.backoff import full_jitter_ms
from edge.sync.bundle import Bundle
from edge.sync.metrics import FETCHES
from edge.tls import Trust, public_trust
from shared.kernel.errors import CorruptError, RetailError, UnavailableError

if TYPE_CHECKING:
    from httpx import Client

OBJECT_BYTES_MAX = 128 * 1024 * 1024
MANIFEST_BYTES_MAX = 1024 * 1024
_ATTEMPTS = 4
_RETRY_BASE_MS = 250
_CHUNK_BYTES = 1 << 16
_TIMEOUT_S, _CONNECT_TIMEOUT_S = 15.0, 5.0
_KEEP_CONNECTION_S = 900.0
_OK = 200
_UNKNOWN = frozenset({404, 405, 501})
_MISSING = b'"object.missing"'
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")
Jitter = Callable[[], float]
_log = structlog.get_logger(__name__)


class _JitterWait(wait_base):
    """tenacity's waiting time from our own back-off."""

    def __init__(self, jitter: Jitter) -> None:
        self._jitter = jitter

    def __call__(self, retry_state: RetryCallState) -> float:
        """Seconds before the next attempt."""
        return full_jitter_ms(retry_state.attempt_number, _RETRY_BASE_MS, self._jitter()) / 1000


class ObjectFetcher:
    """Gets objects from the cloud over one connection that is kept open between publications."""

    def __init__(
        self, identity: Identity, folder: Path, jitter: Jitter, trust: Trust = public_trust
    ) -> None:
        cloud_url = identity.cloud_url.rstrip("/")
        self._url = f"{cloud_url}/v1/objects"
        self._catalog_url = f"{cloud_url}/v1/catalog/fetch"
        self._is_catalog_known = True
        self._bearer = f"Bearer {identity.dev}.{identity.secret}"
        self._folder = folder
        self._jitter = jitter
        self._trust = trust
        self._trusted: object = None
        self._stop = threading.Event()
        self._client: Client | None = None

    def close(self) -> None:
        """Give up what is under way and close the connection."""
        self._stop.set()
        if self._client is not None:
            self._client.close()

    def fetch(self, sha256_hex: str, size_max: int = OBJECT_BYTES_MAX) -> Path:
        """File with the object of that SHA-256, already verified; kept until `forget`.

        Raises UnavailableError `object.unreachable` or `object.refused` after several attempts,
        CorruptError `object.name`, `object.hash` or `object.too_large`.
        """
        if not _SHA256_HEX.fullmatch(sha256_hex):  # it becomes a file name
            raise CorruptError("object.name")
        path = self._folder / sha256_hex
        if path.exists():
            return path
        self._folder.mkdir(parents=True, exist_ok=True)
        for attempt in Retrying(
            retry=retry_if_exception_type(UnavailableError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=_JitterWait(self._jitter),
            sleep=self._pause,
            reraise=True,
        ):
            with attempt:
                self._download(sha256_hex, size_max, path)
        return path

    def fetch_all(self, manifest_sha256: str, have_rev: int, have_inc: str) -> None:
        """Get with one request the manifest of that SHA-256 and every object that it takes.

        `have_rev` and `have_inc` say what the box can build upon. Only what is verified is kept.
        Whatever does not come this way is left to `fetch`; a failure is counted, not raised.
        """
        if not self._is_catalog_known or not _SHA256_HEX.fullmatch(manifest_sha256):
            return
        if (self._folder / manifest_sha256).exists():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        asked = {
            "manifest": manifest_sha256,
            "have_rev": have_rev,
            "have_inc": have_inc,
            "take": "urls",
        }
        bundle = Bundle(self._folder, OBJECT_BYTES_MAX)
        try:
            self._take_bundle(asked, bundle)
            for name, url in bundle.urls.items():
                self._download(name, OBJECT_BYTES_MAX, self._folder / name, url)
        except RetailError as error:
            FETCHES.labels(error.code).inc()
            _log.info("fetch.not_all", code=error.code, because=str(error))
        else:
            FETCHES.labels("all").inc()

    def forget(self) -> None:
        """Remove every fetched file."""
        for path in self._folder.glob("*"):
            path.unlink(missing_ok=True)

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise UnavailableError("sync.stopping")

    def _take_bundle(self, asked: dict[str, Any], bundle: Bundle) -> None:
        from httpx import HTTPError, InvalidURL  # noqa: PLC0415 - see _connected

        try:
            with self._connected().stream(
                "POST",
                self._catalog_url,
                json=asked,
                headers={"Authorization": self._bearer},
            ) as answer:
                if answer.status_code != _OK:
                    # An older cloud has no such address; a newer one may lack this manifest.
                    is_known = _MISSING in answer.read()
                    self._is_catalog_known = is_known or answer.status_code not in _UNKNOWN
                    raise UnavailableError("object.refused", status=answer.status_code)
                bundle.take(answer.iter_raw(_CHUNK_BYTES))
        except (HTTPError, InvalidURL, RuntimeError) as error:
            raise UnavailableError("object.unreachable") from error

    def _download(
        self, sha256_hex: str, size_max: int, path: Path, elsewhere: str | None = None
    ) -> None:
        partial = path.with_name(path.name + ".part")
        try:
            with partial.open("wb") as file:
                if elsewhere is None:
                    headers = {"Authorization": self._bearer}
                    self._stream(sha256_hex, size_max, file, (f"{self._url}/{sha256_hex}", headers))
                else:  # an address that admits by itself: our secret is none of its business
                    self._stream(sha256_hex, size_max, file, (elsewhere, {}))
        except RetailError as error:
            partial.unlink(missing_ok=True)
            FETCHES.labels(error.code).inc()
            raise
        partial.replace(path)
        FETCHES.labels("ok").inc()

    def _stream(
        self, sha256_hex: str, size_max: int, file: BinaryIO, source: tuple[str, dict[str, str]]
    ) -> None:
        from httpx import HTTPError, InvalidURL  # noqa: PLC0415 - see _connected

        digest, size = hashlib.sha256(), 0
        url, headers = source
        try:
            with self._connected().stream("GET", url, headers=headers) as answer:
                if answer.status_code != _OK:
                    raise UnavailableError("object.refused", status=answer.status_code)
                for chunk in answer.iter_raw(_CHUNK_BYTES):
                    size += len(chunk)
                    if size > size_max:
                        raise CorruptError("object.too_large", sha256=sha256_hex, limit=size_max)
                    digest.update(chunk)
                    file.write(chunk)
        except (HTTPError, InvalidURL, RuntimeError) as error:
            # httpx says RuntimeError when the client was closed under a running download.
            _log.info("object.unreachable", because=str(error))
            raise UnavailableError("object.unreachable") from error
        if digest.hexdigest() != sha256_hex:
            raise CorruptError("object.hash", sha256=sha256_hex)

    def _connected(self) -> Client:
        """The client, made late: importing httpx would cost a tenth of the box's start."""
        if self._stop.is_set():
            raise UnavailableError("sync.stopping")
        trust = self._trust()
        if self._client is not None and trust is not self._trusted:
            self._client.close()  # head office's CA is being replaced
            self._client = None
        if self._client is None:
            from httpx import Client, Limits, Timeout  # noqa: PLC0415

            self._trusted = trust
            self._client = Client(
                verify=trust,
                timeout=Timeout(_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S),
                limits=Limits(max_connections=2, keepalive_expiry=_KEEP_CONNECTION_S),
                follow_redirects=True,
            )
        return self._client
