"""The API while its database is away."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from cloud.db import Database
from cloud.migrations.run import migrate
from tests.lab.cloud_api import CloudApi
from tests.lab.postgres import PostgresServer


def test_lost_connections_are_replaced_without_anyone_noticing(
    api: CloudApi, database: Database
) -> None:
    client = api.client()
    with database.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert client.get("/v1/items").status_code == 200
    assert client.get("/healthz").status_code == 200


def test_a_database_that_is_away_is_a_503_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    server = PostgresServer(tmp_path / "postgres", durable=False).start()
    url = server.create_database("short_lived")
    database = Database(url)
    migrate(database)
    database.close()
    api = CloudApi(url, tmp_path).start()
    client = api.client()
    assert client.get("/v1/items").status_code == 200
    server.stop()
    for path in ("/v1/items", "/healthz"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "database.unreachable")
        assert answer.headers["retry-after"]
    assert client.get("/metrics").status_code == 200
    api.stop()
