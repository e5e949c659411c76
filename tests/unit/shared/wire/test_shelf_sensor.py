import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import RefusedError
from shared.wire.shelf_sensor import (
    PAYLOAD_BYTES_MAX,
    SensorReading,
    online_topic,
    parse_reading,
    sensor_of,
    state_topic,
)


def told(**fields: object) -> bytes:
    return json.dumps({"v": 1, "seq": 7, **fields}).encode()


def test_a_message_becomes_whole_numbers() -> None:
    reading = parse_reading(
        told(raw=521_030, grams=1249.6, celsius=-18.25, open=False, rssi=-61, up_s=5)
    )
    assert reading == SensorReading(7, 521_030, 1_250, -18_250, False, -61, 5)


def test_fields_of_newer_sensors_are_ignored() -> None:
    assert parse_reading(told(grams=1, humidity=40, nested={"a": [1]})).grams == 1


def test_a_value_that_is_not_there_is_none() -> None:
    assert parse_reading(told(grams=None)).grams is None


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (b"", "json"),
        (b"12.5", "json"),
        (b'{"v": 1, "seq": 7, "grams": NaN}', "grams"),
        (told(grams="5"), "grams"),
        (told(grams=1e30), "grams"),
        (told(celsius=-300), "celsius"),
        (told(open=1), "open"),
        (told(rssi=12), "rssi"),
        (told(seq=-1), "seq"),
        (told(v=2), "v"),
        (b'{"v": 1}', "seq"),
        (told(label="x" * PAYLOAD_BYTES_MAX), "size"),
        (b"\xff\xfe", "json"),
    ],
)
def test_what_cannot_be_read_names_its_field(payload: bytes, field: str) -> None:
    with pytest.raises(RefusedError) as problem:
        parse_reading(payload)
    assert problem.value.code == "wire.sensor"
    assert problem.value.params == {"field": field}


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_no_bytes_at_all_break_the_reader(payload: bytes) -> None:
    codes = []
    try:
        parse_reading(payload)
    except RefusedError as refused:
        codes.append(refused.code)
    assert codes in ([], ["wire.sensor"])


def test_topics_name_the_sensor() -> None:
    assert sensor_of(state_topic("jam-left")) == ("jam-left", "state")
    assert sensor_of(online_topic("jam-left")) == ("jam-left", "online")


@pytest.mark.parametrize("topic", ["tb/s/a/b/state", "tb/s/Jam/state", "tb/1/d/x", "tb/s//state"])
def test_other_topics_are_refused(topic: str) -> None:
    with pytest.raises(RefusedError):
        sensor_of(topic)
