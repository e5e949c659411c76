from collections.abc import Iterable

from edge.device.keymap import KeyDecoder, ScannerLayout

ENTER, KEYPAD_ENTER, TAB, SHIFT, CAPS = 28, 96, 15, 42, 58
DIGITS = {"1": 2, "2": 3, "3": 4, "4": 5, "5": 6, "6": 7, "7": 8, "8": 9, "9": 10, "0": 11}


def press(decoder: KeyDecoder, codes: Iterable[int]) -> list[str]:
    found = []
    for code in codes:
        found += [decoder.key(code, 1), decoder.key(code, 0)]
    return [each for each in found if each is not None]


def typed(text: str) -> list[int]:
    return [DIGITS[character] for character in text]


def test_an_ean13_and_enter_is_one_code() -> None:
    decoder = KeyDecoder(ScannerLayout())
    assert press(decoder, [*typed("6901234567892"), ENTER]) == ["6901234567892"]


def test_codes_follow_each_other_and_empty_ones_are_none() -> None:
    decoder = KeyDecoder(ScannerLayout())
    assert press(decoder, [*typed("12"), ENTER, ENTER, *typed("34"), KEYPAD_ENTER]) == ["12", "34"]


def test_shift_gives_capitals_and_signs_only_while_it_is_held() -> None:
    decoder = KeyDecoder(ScannerLayout())
    keys = [(SHIFT, 1), (30, 1), (30, 0), (2, 1), (2, 0), (SHIFT, 0), (30, 1), (30, 0), (ENTER, 1)]
    assert [code for key in keys if (code := decoder.key(*key))] == ["A!a"]


def test_caps_lock_turns_letters_and_leaves_digits() -> None:
    decoder = KeyDecoder(ScannerLayout())
    assert press(decoder, [CAPS, 30, 2, CAPS, 30, ENTER]) == ["A1a"]


def test_the_keypad_types_digits() -> None:
    decoder = KeyDecoder(ScannerLayout())
    assert press(decoder, [79, 80, 81, 75, 76, 77, 71, 72, 73, 82, ENTER]) == ["1234567890"]


def test_repeats_of_a_held_key_are_not_typed_again() -> None:
    decoder = KeyDecoder(ScannerLayout())
    assert [decoder.key(2, 1), decoder.key(2, 2), decoder.key(2, 0)] == [None, None, None]
    assert press(decoder, [ENTER]) == ["1"]


def test_lost_events_spoil_the_code_but_not_the_next() -> None:
    decoder = KeyDecoder(ScannerLayout())
    press(decoder, typed("690"))
    decoder.spoil()
    assert press(decoder, [*typed("67892"), ENTER, *typed("42"), ENTER]) == ["42"]


def test_an_endless_code_is_dropped() -> None:
    decoder = KeyDecoder(ScannerLayout())
    assert press(decoder, [*typed("1" * 300), ENTER, *typed("42"), ENTER]) == ["42"]


def test_prefix_and_tab_of_the_set_up() -> None:
    decoder = KeyDecoder(ScannerLayout(prefix="99", terminator="tab"))
    assert press(decoder, [*typed("9942"), TAB]) == ["42"]
