"""A worker's own small HTTP port: `/healthz` and `/metrics`, nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from shared.kernel.errors import UnavailableError

Checks = Callable[[], Mapping[str, bool]]
"""Each part by name, and whether it works."""
Answers = Mapping[str, Callable[[], tuple[HTTPStatus, str, bytes]]]


class HealthPort:
    """Answers probes from threads of its own; `start` and `stop` once each."""

    def __init__(
        self, address: tuple[str, int], checks: Checks, registry: CollectorRegistry
    ) -> None:
        self._address = address
        self._checks = checks
        self._registry = registry
        self._server: ThreadingHTTPServer | None = None

    @property
    def port(self) -> int:
        """The port that it listens on; 0 before `start`."""
        return 0 if self._server is None else int(self._server.server_address[1])

    def start(self) -> None:
        """Listen; raises UnavailableError `port.in_use` when the address is taken."""
        answers: Answers = {
            "/healthz": lambda: _health(self._checks()),
            "/metrics": lambda: (
                HTTPStatus.OK,
                CONTENT_TYPE_LATEST,
                generate_latest(self._registry),
            ),
        }
        host, port = self._address
        try:
            self._server = ThreadingHTTPServer((host, port), partial(_ProbeHandler, answers))
        except OSError as error:
            because = error.strerror or str(error)
            raise UnavailableError("worker.port", host=host, port=port, because=because) from error
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


class _ProbeHandler(BaseHTTPRequestHandler):
    def __init__(self, answers: Answers, *connection: Any) -> None:  # noqa: ANN401
        self._answers = answers
        super().__init__(*connection)  # which answers the request at once

    def do_GET(self) -> None:
        answer = self._answers.get(self.path.partition("?")[0])
        status, kind, body = answer() if answer is not None else (HTTPStatus.NOT_FOUND, "", b"")
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Probes come every few seconds: no log line each."""


def _health(checks: Mapping[str, bool]) -> tuple[HTTPStatus, str, bytes]:
    is_well = all(checks.values())
    body = orjson.dumps({"status": "ok" if is_well else "failing", **checks})
    return (
        HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE,
        "application/json",
        body,
    )
