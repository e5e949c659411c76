"""Settings come from a file and the environment, and say what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud.settings import Settings, read_settings
from shared.kernel.errors import RefusedError


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cloud.toml"
    path.write_text('port = 9000\nsecure_cookies = true\nbroker_host = "mq"\n')
    found = read_settings(path, {"TILLBOX_CLOUD_PORT": "9001", "OTHER": "1"})
    assert (found.port, found.secure_cookies, found.broker_host) == (9001, True, "mq")
    assert found.url() == "http://127.0.0.1:9001"
    assert found.device_broker() == ("mq", 1883)


def test_defaults_need_neither() -> None:
    assert read_settings(None, {}) == Settings()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("prot = 1\n", "settings.unknown"),
        ("secure_cookies = 1\n", "settings.value"),
        ("port = \n", "settings.syntax"),
        ("port = 65536\n", "settings.value"),
        ("ingest_threads = 0\n", "settings.value"),
        ("database_connections = -1\n", "settings.value"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, content: str, code: str) -> None:
    path = tmp_path / "cloud.toml"
    path.write_text(content)
    with pytest.raises(RefusedError) as refused:
        read_settings(path, {})
    assert refused.value.code == code


def test_a_mistake_in_the_environment_or_the_files_name_is_named(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"settings\.value"):
        read_settings(None, {"TILLBOX_CLOUD_PORT": "many"})
    with pytest.raises(RefusedError, match=r"settings\.missing"):
        read_settings(tmp_path / "none.toml", {})
