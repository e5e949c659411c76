"""Key events of a scanner, set up for several countries, become the characters that it means."""

from collections.abc import Iterable

import pytest

from edge.device.keymap import KeyDecoder

ENTER, KEYPAD_ENTER, TAB, SHIFT, CAPS, CTRL, ALT, ALT_GR = 28, 96, 15, 42, 58, 29, 56, 100
F8 = 66
DIGITS = {"1": 2, "2": 3, "3": 4, "4": 5, "5": 6, "6": 7, "7": 8, "8": 9, "9": 10, "0": 11}
KEYPAD = {"7": 71, "8": 72, "9": 73, "4": 75, "5": 76, "6": 77, "1": 79, "2": 80, "3": 81, "0": 82}


def press(decoder: KeyDecoder, codes: Iterable[int]) -> str:
    return "".join(decoder.key(code, value) for code in codes for value in (1, 0))


def held(decoder: KeyDecoder, modifier: int, codes: Iterable[int]) -> str:
    down = decoder.key(modifier, 1)
    return down + press(decoder, codes) + decoder.key(modifier, 0)


def typed(text: str) -> list[int]:
    return [DIGITS[character] for character in text]


def test_digits_and_enter_come_as_they_are_typed() -> None:
    keys = [*typed("6901234567892"), ENTER, KEYPAD_ENTER, TAB]
    assert press(KeyDecoder(), keys) == "6901234567892\r\r\t"


def test_shift_gives_capitals_and_signs_only_while_it_is_held() -> None:
    decoder = KeyDecoder()
    assert held(decoder, SHIFT, [30, 2]) + press(decoder, [30]) == "A!a"


def test_caps_lock_turns_letters_and_leaves_digits() -> None:
    decoder = KeyDecoder()
    assert press(decoder, [CAPS, 30, 2]) + held(decoder, SHIFT, [30]) == "A1a"
    assert press(decoder, [CAPS, 30]) == "a"


def test_the_keypad_types_digits() -> None:
    assert press(KeyDecoder(), [KEYPAD[digit] for digit in "1234567890"]) == "1234567890"


def test_repeats_of_a_held_key_are_not_typed_again() -> None:
    decoder = KeyDecoder()
    assert [decoder.key(2, 1), decoder.key(2, 2), decoder.key(2, 0)] == ["1", "", ""]


@pytest.mark.parametrize("keyboard", ["us", "de", "fr"])
def test_ctrl_and_the_bracket_key_is_the_group_separator(keyboard: str) -> None:
    assert held(KeyDecoder(keyboard), CTRL, [27]) == "\x1d"


def test_ctrl_and_a_letter_is_its_control_character() -> None:
    decoder = KeyDecoder()
    assert held(decoder, CTRL, [50, 48, 46, 34]) == "\r\x02\x03\x07"


def test_a_function_key_may_stand_for_the_group_separator() -> None:
    assert press(KeyDecoder(separator_key="f8"), [2, F8, 3]) == "1\x1d2"
    assert press(KeyDecoder(), [2, F8, 3]) == "12"


@pytest.mark.parametrize(
    ("digits", "character"),
    [
        ("029", "\x1d"),
        ("65", "A"),
        ("0228", "ä"),
        ("132", "ä"),
        ("20013", "中"),
        ("55296", ""),
        ("9999999", ""),
    ],
)
def test_alt_and_keypad_digits_are_a_character_by_its_number(digits: str, character: str) -> None:
    decoder = KeyDecoder()
    assert held(decoder, ALT, [KEYPAD[each] for each in digits]) == character
    assert press(decoder, [KEYPAD["1"]]) == "1"


def test_a_german_scanner_has_y_and_z_and_brackets_where_germans_have_them() -> None:
    decoder = KeyDecoder("de")
    assert press(decoder, [21, 44, 53]) == "zy-"
    assert held(decoder, SHIFT, [8, 53, 11]) == "/_="
    assert held(decoder, ALT_GR, [9, 10, 16, 12]) == "[]@\\"


def test_ctrl_and_alt_together_are_alt_gr() -> None:
    decoder = KeyDecoder("de")
    decoder.key(CTRL, 1)
    assert held(decoder, ALT, [9]) == "["


def test_a_french_scanner_needs_shift_for_digits() -> None:
    decoder = KeyDecoder("fr")
    assert held(decoder, SHIFT, typed("6901")) == "6901"
    assert press(decoder, [16, 17, 30, 44, 39, 50]) == "azqwm,"
    assert held(decoder, ALT_GR, [6, 12, 10]) == "[]^"


def test_an_accent_that_stands_alone_is_typed_with_a_space() -> None:
    decoder = KeyDecoder("de")
    assert press(decoder, [41, 57, 2, 41, 30, 41, ENTER]) == "^1^a^\r"


def test_after_lost_events_only_keys_that_are_still_held_count() -> None:
    decoder = KeyDecoder()
    decoder.key(SHIFT, 1)
    decoder.resume([])
    assert press(decoder, [30]) == "a"
    decoder.resume([SHIFT, 30])
    assert press(decoder, [30]) == "A"


def test_unknown_keys_type_nothing() -> None:
    assert press(KeyDecoder(), [1, 125, 240, 600]) == ""


@pytest.mark.parametrize("keyboard", ["us", "de", "fr"])
def test_every_printable_ascii_character_is_somewhere_on_the_keyboard(keyboard: str) -> None:
    reached: set[str] = set()
    for modifier in (None, SHIFT, ALT_GR):
        for code in [*range(2, 54), 57, 86]:
            if code in {SHIFT, CTRL}:
                continue
            decoder = KeyDecoder(keyboard)
            keys = [code] if code == 57 else [code, 57]
            reached.update(
                press(decoder, keys) if modifier is None else held(decoder, modifier, keys)
            )
    assert {chr(n) for n in range(32, 127)} <= reached
