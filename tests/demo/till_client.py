"""A till page without a screen: follows the pushed view and posts commands, as a tablet does."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from tests.lab.net import LOOPBACK

View = dict[str, Any]
VIEW_TIMEOUT_S = 30.0
RECONNECT_S = 0.1


class TillError(RuntimeError):
    """The box refused a command; `code` is its error code."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        super().__init__(f"{status} {document}")
        self.code = str(document.get("code", ""))


class TillClient:
    """One lane of one box. `view` is the newest view that the box has pushed."""

    def __init__(self, port: int, lane: int = 1) -> None:
        self._port = port
        self._lane = lane
        self._http = http.client.HTTPConnection(LOOPBACK, port, timeout=VIEW_TIMEOUT_S)
        self._token = ""
        self._stream = http.client.HTTPConnection(LOOPBACK, port)
        self._view: View = {}
        self._seen = threading.Condition()
        self._is_running = False
        self._show = False
        self._thread: threading.Thread | None = None

    def sign_in(self, operator: str, pin: str) -> None:
        """Sign an operator on."""
        body = {"operator": operator, "pin": pin}
        answer = self.call("POST", f"/v1/lanes/{self._lane}/session", body)
        self._token = answer["token"]

    def follow(self, *, show: bool = False) -> None:
        """Begin to follow the view; with `show`, report each revision as painted."""
        self._show = show
        self._is_running = True
        self._thread = threading.Thread(target=self._read_events, daemon=True)
        self._thread.start()
        self.wait(bool, "a first view")

    def close(self) -> None:
        """Stop following; the stream's next heartbeat is not waited for."""
        self._is_running = False
        with contextlib.suppress(OSError, AttributeError):
            self._stream.sock.shutdown(socket.SHUT_RDWR)
        if self._thread is not None:
            self._thread.join(timeout=5)

    @property
    def view(self) -> View:
        """The newest view."""
        return self._view

    def wait(self, is_there: Callable[[View], bool], what: str) -> View:
        """Wait for a view with a property; TimeoutError names what did not come."""
        with self._seen:
            if not self._seen.wait_for(lambda: is_there(self._view), VIEW_TIMEOUT_S):
                raise TimeoutError(f"port {self._port}: gave up waiting for {what}: {self._view}")
            return self._view

    def command(self, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> Any:
        """Post a command of the lane and wait for the view that it made."""
        answer = self.call(method, f"/v1/lanes/{self._lane}/{path}", body)
        seq = answer["seq"]
        self.wait(lambda view: view.get("seq", -1) >= seq, f"view {seq}")
        return answer

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One request with a key of its own, sent again once if the connection was gone."""
        headers = self._headers()
        payload = json.dumps(body).encode() if body is not None else None
        status, data = self._send(method, path, payload, headers)
        document = json.loads(data) if data else None
        if status >= http.client.BAD_REQUEST:
            raise TillError(status, document or {})
        return document

    def _headers(self) -> dict[str, str]:
        fresh = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        return {**fresh, **self._bearer()}

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _send(
        self, method: str, path: str, payload: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        for is_last in (False, True):
            try:
                self._http.request(method, path, payload, headers)
                answer = self._http.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, OSError):
                self._http.close()
                if is_last:
                    raise
        raise AssertionError

    def _read_events(self) -> None:
        while self._is_running:
            try:
                self._read_stream()
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(RECONNECT_S)

    def _read_stream(self) -> None:
        self._stream = stream = http.client.HTTPConnection(LOOPBACK, self._port, timeout=10)
        stream.request("GET", f"/v1/lanes/{self._lane}/events", headers=self._bearer())
        answer = stream.getresponse()
        kind = ""
        try:
            while self._is_running and (line := answer.readline()):
                if line.startswith(b"event:"):
                    kind = line[6:].strip().decode()
                elif line.startswith(b"data:") and kind == "view":
                    self._take(json.loads(line[5:]))
        finally:
            stream.close()

    def _take(self, view: View) -> None:
        has_new = view.get("revision") != self._view.get("revision")
        with self._seen:
            self._view = view
            self._seen.notify_all()
        if self._show and has_new:
            self._report_shown(view["revision"])

    def _report_shown(self, revision: int) -> None:
        # A connection of its own: the robot's commands use the other one at the same time.
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=10)
        body = json.dumps({"revision": revision}).encode()
        connection.request("POST", f"/v1/lanes/{self._lane}/shown", body, self._headers())
        connection.getresponse().read()
        connection.close()


class ScannerPort:
    """The device port of the lane's virtual scanner: one code a line, as a scanner gives it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def scan(self, codes: list[str]) -> None:
        """Scan codes one after the other."""
        if self._socket is None:
            self._socket = socket.create_connection((LOOPBACK, self._port), timeout=10)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall("".join(f"{code}\r\n" for code in codes).encode())

    def close(self) -> None:
        """Unplug; the next scan plugs in again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
