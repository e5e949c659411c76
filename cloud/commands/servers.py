"""`tillbox-cloud api`."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from cloud import compose, logs
from cloud.clock import SystemClock
from cloud.commands.say import say
from cloud.migrations.state import require_migrated
from cloud.server import open_socket, server_of
from cloud.settings import Settings
from cloud.signing import read_hq_key


def api(settings: Settings, chosen: Namespace) -> None:
    """Run the API and the console until a signal."""
    settings = replace(
        settings,
        host=chosen.host or settings.host,
        port=settings.port if chosen.port is None else chosen.port,
    )
    context = compose.context_of(settings, read_hq_key(Path(settings.hq_key_file)), SystemClock())
    with closing(context.database) as database:
        require_migrated(database)
        listener = open_socket(settings.host, settings.port)
        host, port = listener.getsockname()[:2]
        logs.set_up(settings.log_level)
        say(f"Tillbox cloud answers on http://{host}:{port}")
        server_of(compose.app_of(context)).run(sockets=[listener])
