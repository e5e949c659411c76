"""Signing in through the chain's own sign-in service (OpenID Connect Core 1.0).

Code flow with PKCE (RFC 7636), state and nonce, each good once. A person must be a user here
already: the service says who they are, never what they may do. Their second factor is its matter.
"""

from __future__ import annotations

import hmac
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import Connection, text

from cloud.clock import session_token
from cloud.identity import store
from cloud.identity.parts import Caller, Parts, hash_of
from cloud.identity.store import DISABLED, User
from cloud.settings import Settings
from shared.kernel.errors import ForbiddenError, MissingError, RefusedError, UnavailableError

FLOW_MS = 10 * 60_000
FLOWS_MAX = 10_000
METADATA_MS = 10 * 60_000
TIMEOUT_S = 10
LEEWAY_S = 60
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures only: never "none", never a key that both sides know."""
LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})
CALLBACK = "/v1/oidc/callback"

_ADD = text("""
    INSERT INTO oidc_flow (state_hash, nonce, verifier, expires_at_ms)
    VALUES (:state_hash, :nonce, :verifier, :expires_at_ms)""")
_USE = text("""
    DELETE FROM oidc_flow WHERE state_hash = :state_hash AND expires_at_ms > :at_ms
    RETURNING nonce, verifier""")
_DROP = text("DELETE FROM oidc_flow WHERE expires_at_ms <= :at_ms")
_COUNT = text("SELECT count(*) FROM oidc_flow")
_log = structlog.get_logger("cloud.oidc")


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in that has begun: where the browser goes, and what it must bring back."""

    url: str
    state: str


@dataclass(frozen=True, slots=True)
class Brought:
    """What the browser came back with; `kept` is the state in its own cookie."""

    state: str
    kept: str
    code: str
    error: str = ""


class SignInService:
    """The service's addresses and keys, asked for now and then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._until_ms = 0

    def metadata(self, settings: Settings, now_ms: int) -> tuple[dict[str, Any], KeySet]:
        """Its metadata (OpenID Connect Discovery 1.0) and keys.

        Raises MissingError `oidc.none`, UnavailableError `oidc.unreachable`.
        """
        issuer = settings.oidc_issuer.rstrip("/")
        if not issuer:
            raise MissingError("oidc.none")
        with self._lock:
            if self._keys is None or now_ms >= self._until_ms:
                found = _asked("GET", f"{issuer}/.well-known/openid-configuration")
                if str(found.get("issuer", "")).rstrip("/") != issuer:
                    raise UnavailableError("oidc.unreachable", because="another issuer")
                told = _asked("GET", str(found.get("jwks_uri", "")))
                self._keys = KeySet.import_key_set({"keys": list(told.get("keys", []))})
                self._metadata, self._until_ms = found, now_ms + METADATA_MS
            return self._metadata, self._keys

    def forget(self) -> None:
        """Ask anew next time: a token was signed with a key that is not known."""
        with self._lock:
            self._until_ms = 0


def begin(parts: Parts, service: SignInService, *, again: bool) -> Flow:
    """Begin a sign-in; `again` has the service ask for the password even if it knows the person.

    Raises as `SignInService.metadata` does, UnavailableError `session.busy` when too many began.
    """
    settings, now = parts.settings, parts.now_ms()
    metadata, _ = service.metadata(settings, now)
    state, nonce, verifier = session_token(), session_token(), session_token()
    with parts.database.begin() as connection:
        connection.execute(_DROP, {"at_ms": now})
        if int(connection.execute(_COUNT).scalar_one()) >= FLOWS_MAX:
            raise UnavailableError("session.busy")
        values = {"nonce": nonce, "verifier": verifier, "expires_at_ms": now + FLOW_MS}
        connection.execute(_ADD, {**values, "state_hash": hash_of(state)})
    asked = {
        "response_type": "code",
        "client_id": settings.oidc_client_id,
        "redirect_uri": settings.url() + CALLBACK,
        "scope": "openid email",
        "state": state,
        "nonce": nonce,
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
    }
    if again:
        asked |= {"prompt": "login", "max_age": "0"}
    return Flow(f"{metadata['authorization_endpoint']}?{urlencode(asked)}", state)


def finish(parts: Parts, service: SignInService, caller: Caller, brought: Brought) -> User:
    """Who came back from the service.

    Raises RefusedError `oidc.refused` for anything that does not fit, ForbiddenError
    `oidc.unknown_user` for a person who is no user here.
    """
    now = parts.now_ms()
    if not hmac.compare_digest(brought.state.encode(), brought.kept.encode()):
        raise RefusedError("oidc.refused", because="state")
    with parts.database.begin() as connection:
        asked = {"state_hash": hash_of(brought.state), "at_ms": now}
        flow = connection.execute(_USE, asked).one_or_none()
    if flow is None or brought.error or not brought.code:
        raise RefusedError("oidc.refused", because=brought.error[:40] or "state")
    claims = _claims(parts, service, brought.code, flow.nonce, flow.verifier)
    with parts.database.begin() as connection:
        user = _user_of(connection, parts.settings.oidc_issuer, claims)
        if user is None or user.state == DISABLED or user.is_machine:
            mail = str(claims.get("email", ""))[:80]
            parts.note(connection, caller, "session.refused", outcome="refused", because="oidc")
        else:
            return user
    raise ForbiddenError("oidc.unknown_user", mail=mail)


def _claims(
    parts: Parts, service: SignInService, code: str, nonce: str, verifier: str
) -> dict[str, Any]:
    settings, now = parts.settings, parts.now_ms()
    metadata, keys = service.metadata(settings, now)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": settings.url() + CALLBACK,
        "client_id": settings.oidc_client_id,
        "code_verifier": verifier,
    }
    if settings.oidc_client_secret:
        form["client_secret"] = settings.oidc_client_secret
    answer = _asked("POST", str(metadata.get("token_endpoint", "")), form)
    try:
        token = jwt.decode(str(answer.get("id_token", "")), keys, algorithms=ALGORITHMS)
        claims = CodeIDToken(
            token.claims,
            token.header,
            {
                "iss": {"essential": True, "value": metadata["issuer"]},
                "aud": {"essential": True, "value": settings.oidc_client_id},
                "nonce": {"essential": True, "value": nonce},
            },
            {"nonce": nonce, "client_id": settings.oidc_client_id},
        )
        claims.validate(now=now // 1000, leeway=LEEWAY_S)
    except (JoseError, AuthlibBaseError, ValueError, KeyError) as error:
        service.forget()
        _log.warning("oidc_token_refused", error=type(error).__name__)
        raise RefusedError("oidc.refused", because="token") from None
    return dict(claims)


def _user_of(connection: Connection, issuer: str, claims: dict[str, Any]) -> User | None:
    """By the service's own name; the first time by a mail address that the service has checked."""
    subject = f"{issuer} {claims['sub']}"
    user = store.find_by_subject(connection, subject)
    mail = str(claims.get("email", ""))
    if user is not None or not mail or claims.get("email_verified") is not True:
        return user
    found = store.find_by_mail(connection, mail)
    if found is None or found.state == DISABLED or found.is_machine:
        return None
    return found if store.link_subject(connection, found.name, subject) else None


def _asked(method: str, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
    place = urlsplit(url)
    if place.scheme != "https" and place.hostname not in LOCAL:
        raise UnavailableError("oidc.unreachable", because="https")
    try:
        answer = httpx.request(method, url, data=form, timeout=TIMEOUT_S, follow_redirects=False)
        if answer.status_code != httpx.codes.OK:
            raise UnavailableError("oidc.unreachable", because=f"HTTP {answer.status_code}")
        found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise UnavailableError("oidc.unreachable", because=type(error).__name__) from None
    if not isinstance(found, dict):
        raise UnavailableError("oidc.unreachable", because="no object")
    return found
