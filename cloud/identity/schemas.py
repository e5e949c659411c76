"""Shapes of what people of head office send and get."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

NAME_MAX = 64
PASSWORD_MAX = 256
CODE_MAX = 40
Language = Literal["zh-CN", "zh-TW", "en"]


class SignIn(BaseModel):
    """A name and a password; `code` of the app, or a recovery code, where one is asked for."""

    user: str = Field(min_length=1, max_length=NAME_MAX)
    password: str = Field(min_length=1, max_length=PASSWORD_MAX)
    code: str = Field(default="", max_length=CODE_MAX)


class Confirm(BaseModel):
    """The signed-in person's password, and code where one is asked for."""

    password: str = Field(min_length=1, max_length=PASSWORD_MAX)
    code: str = Field(default="", max_length=CODE_MAX)


class Session(BaseModel):
    """Who is signed in; `must_enrol`: may only set up the second factor yet."""

    user: str
    name: str
    role: str
    permissions: list[str]
    must_enrol: bool
    is_scoped: bool
    """Whether this person sees the stores of an area only."""
    how: str


class NewSession(Session):
    """Who just signed in, with the token for clients without cookies."""

    token: str
    expires_at_ms: int


class SignInWays(BaseModel):
    """How one may sign in here; `oidc` "" without a sign-in service."""

    oidc: str
    can_reset: bool


class ResetRequest(BaseModel):
    """Who forgot their password, and in what language to write to them."""

    user: str = Field(min_length=1, max_length=NAME_MAX)
    language: Language = "zh-CN"


class NewPassword(BaseModel):
    """The token of a link, and the password to set."""

    token: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=1, max_length=1024)


class PasswordChange(BaseModel):
    """One's own password, and the next."""

    old: str = Field(max_length=PASSWORD_MAX)
    new: str = Field(max_length=1024)


class OwnSession(BaseModel):
    """One place where one is signed in."""

    session: str
    is_own: bool
    """Whether it is this very one."""
    opened_at_ms: int
    seen_at_ms: int
    expires_at_ms: int
    how: str
    address: str
    agent: str


class Account(BaseModel):
    """One's own account."""

    user: str
    name: str
    role: str
    mail: str
    has_password: bool
    has_totp: bool
    needs_totp: bool
    recovery_codes_left: int
    sessions: list[OwnSession]


class TotpOffer(BaseModel):
    """A secret for an app: as an address, as text, and as a QR code (SVG path, side in modules)."""

    url: str
    secret: str
    qr_path: str
    qr_size: int


class TotpCode(BaseModel):
    """What the app shows."""

    code: str = Field(min_length=1, max_length=CODE_MAX)


class RecoveryCodes(BaseModel):
    """Codes for the day the telephone is lost, each good once; told this one time."""

    codes: list[str]


class User(BaseModel):
    """A person or a machine who may sign in; `seen_at_ms` null without a session."""

    user: str
    name: str
    role: str
    mail: str
    state: str
    is_machine: bool
    has_totp: bool
    store_groups: list[str]
    language: Language
    seen_at_ms: int | None


class Users(BaseModel):
    """Everybody, by name."""

    users: list[User]


class UserFields(BaseModel):
    """What is said of a user; `mail` "" for none, `language` null leaves the one there is."""

    name: str = Field(default="", max_length=NAME_MAX)
    mail: str = Field(default="", max_length=254)
    role: str = Field(min_length=1, max_length=32)
    store_groups: list[str] = Field(default=[], max_length=200)
    is_active: bool = True
    language: Language | None = None
    """In which links are mailed."""


class NewUser(UserFields):
    """A user to invite."""

    user: str = Field(min_length=1, max_length=32)


class Link(BaseModel):
    """The link to set a password, where no mail could be sent; else ""."""

    link: str


class RoleFields(BaseModel):
    """What a role may do; `is_scoped`: only for the stores of its people's groups."""

    label: str = Field(default="", max_length=NAME_MAX)
    permissions: list[str] = Field(max_length=200)
    is_scoped: bool = False
    needs_totp: bool = True


class Role(RoleFields):
    """A role with the number of its users."""

    role: str
    is_built_in: bool
    is_changed: bool
    users: int


class Roles(BaseModel):
    """All roles, and all permissions there are."""

    roles: list[Role]
    permissions: list[str]


class AuditRow(BaseModel):
    """One act; `what` is a dotted code or an endpoint's name."""

    seq: int
    at_ms: int
    who: str
    what: str
    permission: str
    object: str
    address: str
    outcome: str
    facts: dict[str, Any]


class AuditPage(BaseModel):
    """Rows, newest first; `next_seq` asks for older ones, null at the end."""

    rows: list[AuditRow]
    next_seq: int | None
