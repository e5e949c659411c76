"""The sensors' configurations: ESPHome takes each of them, and they say what the box reads."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.wire.shelf_sensor import SensorPayload, parse_reading, sensor_of
from tests.lab.python_env import ESPHOME_LOCK, ROOT, install_apart

FOLDER = ROOT / "firmware-config" / "shelf-sensors"
PARTS = {"common.yaml", "secrets.yaml"}
FILES = sorted(path.name for path in FOLDER.glob("*.yaml") if path.name not in PARTS)
SENSORS = [name for name in FILES if name != "calibrate.yaml"]
# What `esphome config` does, for all files in one process: starting it anew costs 2 s a file.
CHECK = """
import json, logging, sys
from pathlib import Path
from esphome.config import read_config
from esphome.core import CORE
logging.disable(logging.CRITICAL)
def is_valid(name):
    CORE.reset()
    CORE.config_path = Path(name)
    return read_config({}) is not None
print("verdicts", json.dumps({name: is_valid(name) for name in sys.argv[1:]}))
"""
SAMPLES = {"seq": 1, "raw": 521030.0, "grams": 1249.6, "celsius": -18.5, "open": True, "rssi": -61}


def check(folder: Path, *names: str) -> tuple[dict[str, bool], str]:
    """By file, whether ESPHome takes it; and what it says."""
    python = install_apart(ESPHOME_LOCK)
    done = subprocess.run(
        [python, "-c", CHECK, *names], cwd=folder, capture_output=True, text=True, check=True
    )
    [verdicts] = re.findall(r"^verdicts (.*)$", done.stdout, re.MULTILINE)
    return json.loads(verdicts), done.stdout


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """The configurations with made-up secrets, as somebody would copy them."""
    folder = tmp_path / "sensors"
    shutil.copytree(FOLDER, folder)
    (folder / "secrets.yaml").write_bytes((FOLDER / "secrets.yaml.example").read_bytes())
    return folder


def source_of(name: str) -> dict[str, Any]:
    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda loader, _, node: loader.construct_scalar(node))
    found: dict[str, Any] = yaml.load((FOLDER / name).read_text(), Loader)  # noqa: S506 - a SafeLoader
    return found


def said(name: str) -> tuple[str, str]:
    """Topic and program of what a sensor publishes."""
    [script] = source_of(name)["script"]
    [publish] = script["then"]
    message = publish["mqtt.publish_json"]
    return message["topic"], message["payload"]


def test_esphome_takes_every_configuration(copies: Path) -> None:
    verdicts, told = check(copies, *FILES)
    assert verdicts == dict.fromkeys(FILES, True), told


def test_a_mistake_in_a_configuration_would_be_noticed(copies: Path) -> None:
    shelf = copies / "shelf.yaml"
    shelf.write_text(shelf.read_text().replace("gain: 128", "gain: 99"))
    fridge = copies / "fridge.yaml"
    fridge.write_text(fridge.read_text().replace("dallas_temp", "dallas_tmp"))
    verdicts, told = check(copies, "shelf.yaml", "fridge.yaml", "door.yaml")
    assert verdicts == {"shelf.yaml": False, "fridge.yaml": False, "door.yaml": True}
    assert "Unknown value '99'" in told


@pytest.mark.parametrize("name", SENSORS)
def test_a_sensor_says_what_the_box_reads(name: str) -> None:
    topic, program = said(name)
    fields = re.findall(r'^root\["(\w+)"\] = ', program, re.MULTILINE)
    assert {"v", "seq", "rssi", "up_s"} <= set(fields) <= set(SensorPayload.model_fields)
    assert set(fields) & {"grams", "celsius", "open"}
    sensor = source_of(name)["substitutions"]["name"]
    assert sensor_of(topic.replace("${name}", sensor)) == (sensor, "state")
    told = {field: SAMPLES[field] for field in fields if field in SAMPLES}
    assert parse_reading(json.dumps({"v": 1, **told}).encode()).seq == 1


@pytest.mark.parametrize("name", SENSORS)
def test_a_value_that_was_not_measured_is_not_said_again(name: str) -> None:
    """An old temperature must never look like a cold fridge."""
    for sensor in source_of(name).get("sensor", []):
        measured = sensor.get("temperature", sensor)
        if measured["id"] in {"celsius", "raw"}:
            filters = [next(iter(each)) for each in measured["filters"]]
            assert "timeout" in filters[filters.index("median") :]


def test_the_broker_is_told_when_a_sensor_goes() -> None:
    mqtt = source_of("common.yaml")["mqtt"]
    assert (mqtt["will_message"]["payload"], mqtt["birth_message"]["payload"]) == ("0", "1")
    assert mqtt["will_message"]["retain"]
    assert mqtt["will_message"]["topic"] == "tb/s/${name}/online"
    assert mqtt["port"] == 1884
    assert not mqtt["discovery"]


def test_no_secret_is_committed() -> None:
    assert not (FOLDER / "secrets.yaml").exists()
    text = "".join(path.read_text() for path in FOLDER.glob("*.yaml"))
    assert set(re.findall(r"password: (\S+)", text)) == {"!secret"}
    wanted = set(re.findall(r"!secret (\w+)", text))
    given = yaml.safe_load((FOLDER / "secrets.yaml.example").read_text())
    assert wanted == set(given)


def test_the_example_list_names_sensors_of_these_configurations() -> None:
    listed = tomllib.loads((ROOT / "firmware-config" / "sensors.example.toml").read_text())
    names = {each["name"] for each in listed["sensor"]}
    assert names <= {source_of(name)["substitutions"]["name"] for name in SENSORS}
