from __future__ import annotations

import json
from typing import Any

import pytest

from shared.kernel.errors import RefusedError
from shared.release.description import (
    Machine,
    Release,
    Wheel,
    arch_of,
    parse_release,
    refuse_misfit,
    release_bytes,
    version_key,
)

PURE = Wheel("tillbox-1.2.0-py3-none-any.whl", "ab" * 32, 1000)
ARM = Wheel(
    "orjson-3.10.0-cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64.whl",
    "cd" * 32,
    10,
    "aarch64",
)
X86 = Wheel("orjson-3.10.0-cp311-cp311-manylinux_2_17_x86_64.whl", "ef" * 32, 10, "x86_64")
RELEASE = Release(7, "1.2.0", "3.11", (PURE, ARM, X86), "1.0.0", "99" * 32, "牛奶 fixed")
PI = Machine("aarch64", "3.11", "1.1.0", 6)


def test_a_description_is_read_as_it_was_written() -> None:
    assert parse_release(release_bytes(RELEASE)) == RELEASE


@pytest.mark.parametrize(
    "change",
    [
        {"version": "../current"},
        {"version": ""},
        {"version": 1},
        {"no": 0},
        {"no": "7"},
        {"wheels": []},
        {"requires": "x"},
        {"vectors": "zz"},
        {"python": None},
    ],
)
def test_what_is_no_description_is_refused(change: dict[str, Any]) -> None:
    raw = json.loads(release_bytes(RELEASE)) | change
    with pytest.raises(RefusedError, match=r"release\.description"):
        parse_release(json.dumps(raw).encode())


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../../etc/tillbox-1.2.0-py3-none-any.whl"},
        {"name": "tillbox-1.2.0.tar.gz"},
        {"name": "tillbox-1.3.0-py3-none-any.whl"},
        {"sha256": "AB" * 32},
        {"size": 0},
        {"size": 10**12},
        {"arch": "x86_64"},
    ],
)
def test_a_wheel_that_is_not_what_it_says_is_refused(change: dict[str, Any]) -> None:
    raw = json.loads(release_bytes(Release(7, "1.2.0", "3.11", (PURE,))))
    raw["wheels"][0] |= change
    with pytest.raises(RefusedError, match=r"release\.description"):
        parse_release(json.dumps(raw).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"nonsense", b'{"no":1}', b"[" * 9999])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(RefusedError, match=r"release\.description"):
        parse_release(data)


def test_a_machine_fetches_what_fits_it() -> None:
    assert RELEASE.wheels_for("aarch64") == (PURE, ARM)
    assert RELEASE.arches == ("aarch64", "x86_64")
    assert Release(1, "1.2.0", "3.11", (PURE,)).arches == ("any",)


@pytest.mark.parametrize(
    ("machine", "code"),
    [
        (Machine("riscv64", "3.11", "1.1.0"), "release.arch"),
        (Machine("aarch64", "3.13", "1.1.0"), "release.python"),
        (Machine("aarch64", "3.11", "0.9.0"), "release.requires"),
        (Machine("aarch64", "3.11", "1.1.0", 8), "release.older"),
    ],
)
def test_a_release_for_other_boxes_is_refused(machine: Machine, code: str) -> None:
    refuse_misfit(RELEASE, PI)
    with pytest.raises(RefusedError) as refused:
        refuse_misfit(RELEASE, machine)
    assert refused.value.code == code


def test_the_last_tag_of_a_wheel_names_its_machine() -> None:
    assert arch_of(PURE.name) == "any"
    assert arch_of(ARM.name) == "aarch64"
    assert arch_of("x-1-cp311-cp311-macosx_11_0_arm64.whl") == "macosx_11_0_arm64"


def test_versions_are_ordered_by_their_numbers() -> None:
    assert version_key("0.10.0") > version_key("0.9.1") > version_key("")
