from __future__ import annotations

import pytest

from shared.kernel.errors import RefusedError
from shared.kernel.ids import DeviceId
from shared.wire import topics

DEV = DeviceId("d-abcdefgh234567ab")


@pytest.mark.parametrize(
    ("topic", "text"),
    [
        (topics.up_journal(DEV), f"tb/1/d/{DEV}/up/j"),
        (topics.up_hello(DEV), f"tb/1/d/{DEV}/up/hello"),
        (topics.up_state(DEV), f"tb/1/d/{DEV}/up/state"),
        (topics.up_report(DEV), f"tb/1/d/{DEV}/up/rep"),
    ],
)
def test_an_up_topic_says_whose_it_is(topic: str, text: str) -> None:
    assert topic == text
    assert topics.device_of(topic) == DEV


def test_down_topics_and_subscriptions() -> None:
    assert topics.down_ack(DEV) == f"tb/1/d/{DEV}/dn/ja"
    assert topics.down_desired(DEV) == f"tb/1/d/{DEV}/dn/des"
    assert topics.shared_journal("s3cret") == "$share/s3cret-j/tb/1/d/+/up/j"
    assert topics.shared_hello("s3cret") == "$share/s3cret-h/tb/1/d/+/up/hello"
    assert topics.shared_report("s3cret") == "$share/s3cret-r/tb/1/d/+/up/rep"
    assert topics.CLOUD_BIRTH == "tb/1/sys/cloud"


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "tb/1/sys/cloud",
        topics.down_ack(DEV),
        topics.ALL_HELLO,
        f"tb/2/d/{DEV}/up/j",
        f"tb/1/d/{DEV}/up/j/more",
        f"tb/1/d/{DEV}/up/",
        f"tb/1/d/{DEV}/up/j\n",
        f"x/tb/1/d/{DEV}/up/j",
        "tb/1/d/d-short/up/j",
        "tb/1/d/d-ABCDEFGH234567AB/up/j",
        "tb/1/d/+/up/j",
    ],
)
def test_any_other_topic_is_refused(topic: str) -> None:
    with pytest.raises(RefusedError, match=r"wire\.topic"):
        topics.device_of(topic)


def test_the_form_of_a_device_id() -> None:
    assert topics.is_device_id(DEV)
    for text in ("", "d-", DEV + "a", DEV[:-1] + "1", DEV.upper(), DEV + "\n"):
        assert not topics.is_device_id(text)
