"""What the plain port says once the till is served over HTTPS: how a tablet comes to trust it.

An application of its own, with nothing of the till behind it: whoever listens on the store's
network hears no PIN and no session.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from edge.http.guard import Guard
from edge.http.static_files import API_FOLDERS
from edge.https.store import TillFiles
from edge.texts import load_texts

PAGE = "/trust"
STYLE = Path(__file__).with_name("page.css")
LANGUAGES: Mapping[str, str] = {"zh-CN": "简体中文", "zh-TW": "繁體中文", "en": "English"}
_SYSTEMS = ("android", "ipad", "windows", "chromebook")
_CERTIFICATE_TYPE = "application/x-x509-ca-cert"
_TEMPORARY = 307


def trust_app(files: TillFiles, locale: str, https_port: Callable[[], int]) -> Starlette:
    """The application of the plain port; `locale` speaks where the reader chose no language."""

    def page(request: Request) -> Response:
        language = request.query_params.get("lang", locale)
        language = language if language in LANGUAGES else locale
        # Only what the browser itself takes for its address: it goes into the page's links.
        till = _secure(request, https_port())
        return HTMLResponse(_document(files, language, till, str(request.url.replace(query=""))))

    def certificate(request: Request) -> Response:
        n = int(request.path_params["n"])
        known = files.authorities()
        if not 1 <= n <= len(known):
            return Response(status_code=404)
        return Response(
            known[n - 1].public_bytes(serialization.Encoding.DER),
            media_type=_CERTIFICATE_TYPE,
            headers={"Content-Disposition": f'attachment; filename="tillbox-{n}.crt"'},
        )

    def style(_: Request) -> Response:
        return Response(STYLE.read_bytes(), media_type="text/css")

    def elsewhere(request: Request) -> Response:
        if request.url.path.split("/", 2)[1] in API_FOLDERS:
            return Response(status_code=404)
        is_root = request.url.path == "/" and not files.authorities()
        return RedirectResponse(PAGE if is_root else _secure(request, https_port()), _TEMPORARY)

    routes = [
        Route(PAGE, page),
        Route(f"{PAGE}/page.css", style),
        Route(f"{PAGE}/tillbox-{{n:int}}.crt", certificate),
        Route("/{path:path}", elsewhere),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard)])


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate as systems show it: pairs of hex digits."""
    return certificate.fingerprint(hashes.SHA256()).hex(" ").upper()


def _secure(request: Request, port: int) -> str:
    """The same address over HTTPS."""
    return str(request.url.replace(scheme="https", port=port, path="/", query=""))


def _document(files: TillFiles, language: str, till: str, here: str) -> str:
    texts = load_texts(language)

    def said(key: str) -> str:
        return html.escape(texts[f"trust.{key}"])

    known = files.authorities()
    body = "".join(_authority(n, each, said) for n, each in enumerate(known, start=1))
    if not known:
        body = f'<section class="card wait"><p>{said("none_yet")}</p></section>'
    steps = "".join(
        f"<details><summary>{said(name)}</summary><p>{said(f'{name}_how')}</p></details>"
        for name in _SYSTEMS
    )
    links = " ".join(
        f'<a href="?lang={code}" lang="{code}"{" aria-current=true" if code == language else ""}>'
        f"{name}</a>"
        for code, name in LANGUAGES.items()
    )
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{said('title')}</title>"
        f'<link rel="stylesheet" href="{PAGE}/page.css"></head><body><main>'
        f"<header><strong>Tillbox</strong><nav>{links}</nav></header>"
        f'<h1>{said("title")}</h1><p class="lead">{said("why")}</p>{body}'
        f'<section class="card"><h2>{said("how")}</h2>{steps}</section>'
        f'<p><a class="go" href="{html.escape(till)}">{said("go")}</a></p>'
        f'<section class="card other"><div><h2>{said("others")}</h2>'
        f"<p>{said('others_how')}</p><code>{html.escape(here)}</code></div>{_qr(here)}</section>"
        "</main></body></html>"
    )


def _authority(n: int, certificate: x509.Certificate, said: Callable[[str], str]) -> str:
    pairs = fingerprint(certificate).split()
    half = len(pairs) // 2
    shown = f"{' '.join(pairs[:half])}<br>{' '.join(pairs[half:])}"
    return (
        f'<section class="card"><h2>{said("get")}</h2>'
        f'<p><a class="go" href="{PAGE}/tillbox-{n}.crt" download>{said("download")}</a></p>'
        f"<p>{said('compare')}</p><code>{shown}</code></section>"
    )


def _qr(text: str) -> str:
    """A QR code as one path of an SVG; a square is a module."""
    from qrcode import QRCode  # noqa: PLC0415 - this page is opened once for each tablet
    from qrcode.constants import ERROR_CORRECT_M  # noqa: PLC0415

    code = QRCode(error_correction=ERROR_CORRECT_M, border=2)
    code.add_data(text)
    code.make(fit=True)
    modules = code.get_matrix()
    path = "".join(
        f"M{x} {y}h1v1h-1z"
        for y, row in enumerate(modules)
        for x, is_dark in enumerate(row)
        if is_dark
    )
    side = len(modules)
    return (
        f'<svg class="qr" role="img" aria-label="QR" viewBox="0 0 {side} {side}">'
        f'<path d="{path}"/></svg>'
    )
