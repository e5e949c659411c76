"""Ask the box's own pages over this machine's loopback: for the health check, status and set-up."""

from __future__ import annotations

import ssl
import urllib.request

from edge.settings import Settings

_ANYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - what a setting may say


def own_url(settings: Settings) -> str:
    """Where this box serves its till, as it reaches itself; no path."""
    box = settings.box
    host = "127.0.0.1" if box.host in _ANYWHERE else box.host
    address = f"[{host}]" if ":" in host else host
    if box.https_port:
        return f"https://{address}:{box.https_port}"
    return f"http://{address}:{box.port}"


def ask_own(url: str, timeout_s: float) -> bytes:
    """The body of a page of this box; OSError or ValueError when there is none.

    Its certificate is for the names that tablets use, not for this machine's own address.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    asked = urllib.request.Request(url)  # noqa: S310 - our own address
    with urllib.request.urlopen(asked, timeout=timeout_s, context=context) as answer:  # noqa: S310 - our own address
        body: bytes = answer.read()
    return body
