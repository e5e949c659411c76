"""A sign-in service (OpenID Connect) that signs in whoever it is told to, without a question."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

from tests.lab.net import LOOPBACK

CLIENT, SECRET = "tillbox", "a-client's-secret"


class SignInService:
    """`person` are the claims of who signs in next; `wrong` spoils the token that is given."""

    def __init__(self) -> None:
        self.person: dict[str, Any] = {}
        self.wrong = ""
        self.now_s = 0
        self.asked: list[dict[str, str]] = []
        self._key = ECKey.generate_key("P-256", {"kid": "one"}, private=True, auto_kid=False)
        self._codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer((LOOPBACK, 0), self._handler())
        self.issuer = f"http://{LOOPBACK}:{self._server.server_port}"

    def start(self) -> SignInService:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        self.asked.append(asked)
        code = f"code-{len(self.asked)}"
        self._codes[code] = asked
        told = {"code": code, "state": asked["state"]}
        return f"{asked['redirect_uri']}?{urlencode(told)}"

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        """The ID token for a code, once, for the client that can prove that it asked."""
        asked = self._codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if asked is None or asked["code_challenge"] != challenge:
            return None
        if (form["client_id"], form["client_secret"]) != (CLIENT, SECRET):
            return None
        return {"access_token": "x", "token_type": "Bearer", "id_token": self._signed(asked)}

    def _signed(self, asked: dict[str, str]) -> str:
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": self.now_s,
            "exp": self.now_s + 300,
            "nonce": asked["nonce"],
            **self.person,
        }
        claims |= {
            "nonce": {"nonce": "another"},
            "audience": {"aud": "another"},
            "issuer": {"iss": "http://another"},
            "expired": {"exp": self.now_s - 3600},
        }.get(self.wrong, {})
        if self.wrong == "unsigned":
            return _part({"alg": "none"}) + "." + _part(claims) + "."
        if self.wrong == "shared_key":  # signed with what everybody may know
            public = json.dumps(self._key.as_dict(private=False)).encode()
            return jwt.encode({"alg": "HS256", "kid": "one"}, claims, OctKey.import_key(public))
        key = self._key
        if self.wrong == "key":
            key = ECKey.generate_key("P-256", {"kid": "one"}, private=True, auto_kid=False)
        return jwt.encode({"alg": "ES256", "kid": "one"}, claims, key)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                place = urlsplit(self.path)
                if place.path == "/authorize":
                    asked = {name: found[0] for name, found in parse_qs(place.query).items()}
                    self.send_response(303)
                    self.send_header("Location", service.authorize(asked))
                    self.end_headers()
                elif place.path == "/keys":
                    self._answer(KeySet([service._key]).as_dict(private=False))
                else:
                    self._answer(service.metadata())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._answer(
                    service.token({name: found[0] for name, found in parse_qs(body).items()})
                )

            def _answer(self, told: object) -> None:
                data = json.dumps(told).encode()
                self.send_response(400 if told is None else 200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        return Handler


def _part(told: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")
