"""`tillbox-cloud settings` and `hq-key`."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import fields
from pathlib import Path

from cloud.commands.say import say
from cloud.settings import Settings
from cloud.signing import create_hq_key

SECRETS = frozenset({"broker_password", "ca_device_pem", "s3_secret_key", "database_url"})


def settings(settings: Settings, chosen: Namespace) -> None:
    """List every setting; secrets only as being there or not."""
    del chosen
    for field in fields(settings):
        value = getattr(settings, field.name)
        shown = "(set)" if field.name in SECRETS and value else repr(value)
        say(f"{field.name} = {shown}")


def init_hq_key(settings: Settings, chosen: Namespace) -> None:
    """Make head office's key."""
    del chosen
    path = Path(settings.hq_key_file)
    key = create_hq_key(path)
    say(f"Wrote {path}. Keep a copy in a safe place: boxes trust no other key.")
    say(f"Its public half: {key.public_hex}")
