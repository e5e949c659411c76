"""The console's files, its page for every address, and what is said when it is not built."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from fastapi import FastAPI, Response
from fastapi.responses import FileResponse

from cloud.http.console import console_router
from shared.kernel.errors import MissingError


def page(folder: Path, path: str, accept_encoding: str = "") -> Response:
    app = FastAPI()
    app.include_router(console_router(folder))
    endpoint = console_router(folder).routes[0].endpoint  # type: ignore[attr-defined]
    answer = endpoint(path, accept_encoding)
    assert isinstance(answer, Response)
    return answer


@pytest.fixture
def built(tmp_path: Path) -> Path:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<p>console")
    (static / "assets" / "app-1a2b.js").write_text("1")
    (tmp_path / "secret").write_text("hidden")
    return static


def test_assets_are_kept_for_ever_and_the_page_never(built: Path) -> None:
    asset = page(built, "assets/app-1a2b.js")
    assert "immutable" in asset.headers["cache-control"]
    for address in ("", "prices", "stores/17", "index.html"):
        answer = page(built, address)
        assert isinstance(answer, FileResponse)
        assert Path(answer.path).name == "index.html"
        assert answer.headers["cache-control"] == "no-cache"


def test_a_compressed_file_is_served_to_those_who_take_it(built: Path) -> None:
    (built / "assets" / "app-1a2b.js.gz").write_bytes(gzip.compress(b"1"))
    packed = page(built, "assets/app-1a2b.js", "gzip, br")
    assert isinstance(packed, FileResponse)
    assert Path(packed.path).name == "app-1a2b.js.gz"
    assert packed.headers["content-encoding"] == "gzip"
    assert "javascript" in packed.headers["content-type"]
    assert "immutable" in packed.headers["cache-control"]
    plain = page(built, "assets/app-1a2b.js")
    assert "content-encoding" not in plain.headers
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in page(built, "", "gzip").headers


@pytest.mark.parametrize("path", ["v1", "v1/none", "assets/gone.js", "assets/../../secret"])
def test_nothing_in_the_api_or_the_assets_falls_back_to_the_page(built: Path, path: str) -> None:
    with pytest.raises(MissingError):
        page(built, path)


@pytest.mark.parametrize("path", ["../secret", "console/../../secret", "/etc/passwd"])
def test_nothing_outside_the_folder_is_served(built: Path, path: str) -> None:
    answer = page(built, path)
    assert isinstance(answer, FileResponse)
    assert Path(answer.path).name == "index.html"


def test_without_a_built_console_the_page_says_what_to_do(tmp_path: Path) -> None:
    answer = page(tmp_path, "")
    assert answer.status_code == 503
    assert b"make setup" in bytes(answer.body)
