"""Requests as no browser sends them, over a bare socket; seeded, so a failure can be repeated."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

TOKENS = (
    *("%00", "%ff", "%2e%2e/", "..;/", "//", "\\", "'", '"', "' OR 1=1 --", "{{7*7}}", "${7*7}"),
    *("%0d%0aX: y", "é", "\U0001f4a3", "a" * 4000, "-1", "1e999", "0" * 400, "NaN", "None"),
    *("<script>", "$(id)", "`id`", "%s%n", "null", "[]", "\x7f", ";", "?", "#", "*", "~"),
)
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW")
BODIES = (
    b"",
    b"{",
    b"[]",
    b'{"a":' * 500,
    b"\xff\xfe\x00",
    b'{"user":"\\ud800"}',
    b"[" * 20_000,
    b'{"user":"' + b"a" * 60_000 + b'"}',
)


def requests(paths: list[str], seed: int, count: int, bearer: str = "") -> Iterator[bytes]:
    """`count` requests for addresses like `paths`, with parts exchanged for nasty ones.

    With `bearer` they come from somebody who is signed in, and so reach further.
    """
    chance = random.Random(seed)  # noqa: S311 - to be repeated, nothing secret
    for _ in range(count):
        parts = [
            chance.choice(TOKENS) if part.startswith("{") or chance.random() < 0.1 else part
            for part in chance.choice(paths).split("/")
        ]
        path = "/".join(parts) or "/"
        if chance.random() < 0.3:
            path += f"?{chance.choice(TOKENS)}={chance.choice(TOKENS)}"
        body = chance.choice(BODIES)
        lines = [
            f"{chance.choice(METHODS)} {path.replace(' ', '%20')} HTTP/1.1",
            "Host: box",
            "Connection: close",
            f"Content-Length: {len(body)}",
            f"Content-Type: {chance.choice(('application/json', 'text/plain', 'x/' + 'y' * 300))}",
            *([f"Authorization: Bearer {bearer}"] if bearer else _headers(chance)),
        ]
        yield "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body


def status_of(url: str, request: bytes) -> int:
    """The status of the answer; 0 where the server closed without one."""
    place = urlsplit(url)
    assert place.hostname is not None
    with socket.create_connection((place.hostname, place.port or 80), timeout=20) as line:
        line.settimeout(20)
        try:
            line.sendall(request)
            head = b""
            while b"\r\n" not in head and (piece := line.recv(4096)):
                head += piece
        except ConnectionError:
            return 0
    return int(head.split()[1]) if head.startswith(b"HTTP/1.1 ") else 0


def _headers(chance: random.Random) -> list[str]:
    names = ("Authorization", "Cookie", "Accept-Language", "Origin", "X-Tillbox", "Range")
    names += ("Idempotency-Key", "If-None-Match", "Accept-Encoding", "X-Forwarded-For", "Approval")
    forms = ("{}", "Bearer {}", "Bearer d-aaaaaaaaaaaaaaaa.{}", "tb_console={}", "tb_session={}")
    return [
        f"{name}: {chance.choice(forms).format(chance.choice(TOKENS))}"
        for name in chance.sample(names, 3)
    ]
