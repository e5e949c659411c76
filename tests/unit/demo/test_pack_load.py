from pathlib import Path

import pytest

from tests.demo.pack.load import PACK_VARIABLE, RECIPE, PackMissingError, Places, load_pack
from tests.demo.pack.sample import sample_pack
from tests.demo.pack.source import find_source
from tests.demo.pack.tables import write_pack


@pytest.fixture(autouse=True)
def _no_named_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PACK_VARIABLE, raising=False)


def _nothing(root: Path) -> Places:
    return Places(ready=root / "ready", cache=root / "cache", find_source=lambda: None)


def _sample_in(folder: Path) -> Path:
    folder.mkdir(parents=True)
    write_pack(sample_pack(), folder)
    return folder


def test_without_any_data_the_message_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(PackMissingError, match="run `make demo`, which installs"):
        load_pack(places=_nothing(tmp_path))


def test_a_named_folder_comes_first(tmp_path: Path) -> None:
    named = _sample_in(tmp_path / "named")
    assert load_pack(named, _nothing(tmp_path)) == sample_pack()


def test_the_environment_names_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PACK_VARIABLE, str(_sample_in(tmp_path / "named")))
    assert load_pack(places=_nothing(tmp_path)) == sample_pack()


def test_a_named_folder_without_a_pack_is_refused_even_if_another_is_there(
    tmp_path: Path,
) -> None:
    places = _nothing(tmp_path)
    (_sample_in(places.ready) / "receipts.csv").unlink()
    with pytest.raises(PackMissingError, match="lacks one of the five tables"):
        load_pack(places.ready, places)


@pytest.mark.parametrize("where", ["ready", f"cache/recipe-{RECIPE}"])
def test_a_ready_made_or_cached_pack_is_found(tmp_path: Path, where: str) -> None:
    _sample_in(tmp_path / where)
    assert load_pack(places=_nothing(tmp_path)) == sample_pack()


def test_a_build_is_kept_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    """Where the package is absent, the refusal must leave no folder behind."""
    source = find_source()
    places = Places(ready=tmp_path / "ready", cache=tmp_path / "cache")
    if source is None:
        with pytest.raises(PackMissingError):
            load_pack(places=places)
        assert not places.cache.exists()
        return
    built = load_pack(places=places)
    assert [folder.name for folder in places.cache.iterdir()] == [f"recipe-{RECIPE}"]
    again = Places(ready=places.ready, cache=places.cache, find_source=lambda: None)
    assert load_pack(places=again) == built
