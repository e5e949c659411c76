"""The launcher starts a real PostgreSQL that keeps its data through a stop and through a kill."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.lab.postgres import PostgresServer


@pytest.fixture
def own_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PostgresServer:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return PostgresServer(tmp_path)


@pytest.mark.parametrize("ending", [PostgresServer.stop, PostgresServer.kill])
def test_data_survives_the_end_of_the_server(own_server: PostgresServer, ending) -> None:
    url = own_server.start().ensure_database("shop")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE t AS SELECT 7 AS n")
    ending(own_server)
    assert own_server.start().ensure_database("shop") == url
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT n FROM t").fetchone() == (7,)
    own_server.stop()


def test_it_listens_on_no_network_address(own_server: PostgresServer) -> None:
    with psycopg.connect(own_server.start().url("postgres")) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    own_server.stop()


def test_a_given_address_is_used_instead_of_an_own_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://shop@db.example:5433/main?sslmode=require")
    server = PostgresServer(tmp_path).start()
    assert server.process is None
    assert server.url("test_1") == "postgresql://shop@db.example:5433/test_1?sslmode=require"
    server.stop()
