"""Shapes of the session endpoints."""

from __future__ import annotations

from pydantic import BaseModel, Field


class SignIn(BaseModel):
    """A name and a password."""

    user: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=256)


class Session(BaseModel):
    """Who is signed in."""

    user: str
    name: str
    role: str
    permissions: list[str]


class NewSession(Session):
    """Who just signed in, with the token for clients without cookies."""

    token: str
    expires_at_ms: int
