"""SQL of what concerns the chain and no box: instants that an alert rule counts days to, or from.

A rule whose bad side is above counts the days since its instant, any other the days until it.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

_PUT = text("""
    INSERT INTO chain_instant (rule, at_ms) VALUES (:rule, :at_ms)
    ON CONFLICT (rule) DO UPDATE SET at_ms = excluded.at_ms""")


def put_instant(connection: Connection, rule: str, at_ms: int) -> None:
    """Note the instant (UTC ms) that a rule goes by."""
    connection.execute(_PUT, {"rule": rule, "at_ms": at_ms})


def instants(connection: Connection) -> dict[str, int]:
    """Every instant by its rule."""
    found = connection.execute(text("SELECT rule, at_ms FROM chain_instant"))
    return {str(rule): int(at_ms) for rule, at_ms in found}
