"""Settings of the cloud: one TOML file, and an environment variable for each value.

The environment wins. `database_url` in the file is `TILLBOX_CLOUD_DATABASE_URL` outside it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from shared.kernel.errors import RefusedError

ENV_PREFIX = "TILLBOX_CLOUD_"
_PORTS = (0, 65_535)
_RANGES = {
    "port": _PORTS,
    "worker_port": _PORTS,
    "broker_port": (1, 65_535),
    "device_broker_port": _PORTS,
    "device_broker_tls_port": _PORTS,
    "database_connections": (1, 1000),
    "ingest_threads": (1, 64),
    "broker_in_flight": (1, 10_000),
    "archive_retention_days": (1, 36_500),
    "archive_every_s": (0, 86_400),
    "archive_entries": (1, 1_000_000),
    "archive_age_s": (0, 86_400),
    "backup_every_h": (0, 8_760),
    "backup_keep_days": (1, 36_500),
    "drill_every_h": (0, 8_760),
    "session_idle_min": (1, 1_440),
    "session_hours": (1, 168),
    "smtp_port": (1, 65_535),
}
_KINDS = {int: "a whole number", bool: "true, false", str: "text"}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between two installations; each value is text or a number."""

    database_url: str = "postgresql:///tillbox"
    """Any libpq URL; PostgreSQL 15 or newer."""
    database_connections: int = 8

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = ""
    """How boxes and browsers reach the API; empty means http://host:port."""
    secure_cookies: bool = False
    """True behind HTTPS: browsers then never send the session in the clear. So does an https
    `public_url`."""

    require_totp: bool = True
    """Who has a role that needs a second factor may do nothing before it is set up. False only
    where nothing is to be protected: a demonstration, a test."""
    session_idle_min: int = 60
    """A session that was not used for so long has ended..."""
    session_hours: int = 12
    """...and any that was opened so long ago."""

    smtp_host: str = ""
    """The mail server for invitations and forgotten passwords; empty means none is sent."""
    smtp_port: int = 587
    smtp_tls: str = "starttls"
    """starttls, tls, or nothing at all for a server on this machine."""
    smtp_user: str = ""
    smtp_password: str = ""
    mail_from: str = ""

    oidc_issuer: str = ""
    """A sign-in service (OpenID Connect) by its address; empty means passwords only."""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_label: str = ""
    """Its name on the button, such as "Example Ltd"."""

    broker_host: str = "127.0.0.1"
    broker_port: int = 1883
    broker_user: str = ""
    broker_password: str = ""
    device_broker_host: str = ""
    """The broker's address as the boxes see it; empty means the same as `broker_host`."""
    device_broker_port: int = 0
    device_broker_tls_port: int = 0
    """The port for boxes with certificates where there is one for passwords as well."""
    broker_password_file: str = ""
    """Mosquitto's password file, in which each enrolled box gets an account."""
    broker_pid_file: str = ""
    broker_ca_file: str = ""
    """Certificates that the internal listener's must come from; empty means no TLS there."""
    broker_crl_file: str = ""
    """Where a worker writes which boxes' certificates count no more, for the broker."""

    ca_dir: str = ""
    """Folder of the chain's own CAs (`tillbox-cloud ca init`); empty means that boxes have
    passwords alone. With it they connect to the broker by TLS, with certificates."""
    ca_device_pem: str = ""
    """The device CA's key and certificate as PEM, in place of its file in `ca_dir`."""

    object_dir: str = "objects"
    """Where published objects lie when no S3 bucket is named."""
    s3_bucket: str = ""
    s3_endpoint: str = ""
    s3_region: str = "us-east-1"
    s3_access_key: str = ""
    s3_secret_key: str = ""
    s3_presign: bool = False
    """Let boxes fetch large objects from the bucket itself, which they must then reach."""

    archive_bucket: str = ""
    """Where the journal is archived; empty means `s3_bucket`. Best one with object lock."""
    archive_lock_mode: str = "COMPLIANCE"
    """COMPLIANCE: nobody can delete before the time is up. GOVERNANCE: who has the right can."""
    archive_retention_days: int = 3650
    archive_every_s: int = 60
    """How often the worker archives; 0 leaves it to `tillbox-cloud archive run`."""
    archive_entries: int = 1000
    """A stream is archived when it has so many entries that are not..."""
    archive_age_s: int = 3600
    """...or any, and was archived longer ago than this."""

    backup_recipients: str = ""
    """Public backup keys, with commas, that backups are sealed for: boxes' and the database's.
    Empty means that none are made."""
    backup_writer_keys: str = ""
    """What proves to a restore that head office made a backup: for each recipient the secret that
    `backup key init` printed (`backup key writer` prints it again). Not for the bucket's keeper."""
    backup_bucket: str = ""
    """Where backups lie; empty means `archive_bucket`. Best a bucket in another region."""
    backup_every_h: int = 24
    """How often a worker makes a base backup of the database; 0 leaves it to a command."""
    backup_keep_days: int = 35
    """To which day at most the database can be put back."""
    backup_key_file: str = ""
    """The private backup key, only on a machine that rehearses restores; best on none but that."""
    drill_every_h: int = 168
    """How often such a machine restores the newest backup and compares; 0 never."""
    postgres_bin: str = ""
    """Folder of PostgreSQL's programs; empty looks on the PATH and where Debian has them."""
    postgres_run: str = ""
    """What goes before them where this runs as root, which PostgreSQL refuses: a command that owns
    the files that root owns, as a user namespace does. Empty for a user such as postgres."""

    alert_webhook_url: str = ""
    """Where alerts are told by POST; empty means nowhere but in the console."""
    alert_webhook_secret: str = ""
    """Shared with who listens there: each body is signed with it (HMAC-SHA256)."""

    worker_host: str = "127.0.0.1"
    worker_port: int = 8081
    """Where the worker answers /healthz and /metrics; 0 picks any free port."""
    ingest_threads: int = 1
    broker_in_flight: int = 500
    """How many messages a worker may send ahead of the broker's confirmations: no more than the
    broker's receive maximum, which Mosquitto calls max_inflight_messages."""

    hq_key_file: str = "hq.key"
    """Head office's Ed25519 key, which signs what the boxes may sell by."""
    member_key_file: str = ""
    """Keys of members' personal data (`tillbox-cloud members init-key`), the same file on each API
    host; empty means keys that follow from head office's."""
    log_level: str = "info"

    def url(self) -> str:
        """The public address without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    def is_https(self) -> bool:
        """Whether browsers reach the API over TLS."""
        return self.secure_cookies or self.url().startswith("https://")

    def device_broker(self, *, has_certificate: bool = False) -> tuple[str, int]:
        """Host and port of the broker for a box."""
        port = self.device_broker_port or self.broker_port
        if has_certificate:
            port = self.device_broker_tls_port or port
        return (self.device_broker_host or self.broker_host, port)


def read_settings(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """Merge defaults, the TOML file (if any) and the environment.

    Raises RefusedError `settings.missing`, `settings.syntax`, `settings.unknown` or
    `settings.value`.
    """
    found: dict[str, object] = {}
    known = {field.name: type(field.default) for field in fields(Settings)}
    for name, value in _file_values(path).items():
        if name not in known:
            raise RefusedError("settings.unknown", field=name, file=str(path))
        found[name] = value
    for name in known:
        given = environment.get(ENV_PREFIX + name.upper())
        if given is not None:
            found[name] = given
    typed: dict[str, Any] = {name: _typed(name, known[name], found[name]) for name in found}
    for name in typed.keys() & _RANGES.keys():
        low, high = _RANGES[name]
        if not low <= typed[name] <= high:
            raise RefusedError(
                "settings.value", field=name, value=str(typed[name]), allowed=f"{low}-{high}"
            )
    return Settings(**typed)


def _file_values(path: Path | None) -> dict[str, object]:
    if path is None:
        return {}
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError:
        raise RefusedError("settings.missing", file=str(path)) from None
    except ValueError as error:  # no TOML, or no UTF-8
        raise RefusedError("settings.syntax", file=str(path), because=str(error)) from None


def _typed(name: str, kind: type, value: object) -> int | bool | str:
    """Read text from the environment as the field's own type; TOML must have it already."""
    if kind is bool and isinstance(value, str):
        if value.lower() in {"1", "true", "yes"}:
            return True
        if value.lower() in {"0", "false", "no", ""}:
            return False
    elif kind is int and isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    elif isinstance(value, (int, str)) and type(value) is kind:
        return value
    raise RefusedError("settings.value", field=name, value=str(value), allowed=_KINDS[kind])
