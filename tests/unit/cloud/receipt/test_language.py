from __future__ import annotations

import pytest

from cloud.receipt.language import language_of


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("zh", "zh-CN"),
        ("zh-Hant-HK", "zh-TW"),
        ("zh-TW;q=0.5, en-GB;q=0.9", "en"),
        ("fr;q=1, zh-MO;q=0.3", "zh-TW"),
        ("de, fr", "en"),
        ("zh;q=0", "en"),
        ("", "en"),
        (";;;,,q=1", "en"),
        ("zh;q=many", "en"),
        ("en," * 10_000 + "zh", "en"),
    ],
)
def test_the_best_of_what_the_browser_asks_for_is_taken(header: str, language: str) -> None:
    assert language_of("", header) == language


def test_what_a_person_chose_comes_first() -> None:
    assert language_of("zh-TW", "en") == "zh-TW"
    assert language_of("klingon", "zh-CN") == "zh-CN"
