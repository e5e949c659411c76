"""Codes come out of characters whole or not at all, and what is lost is told."""

import pytest

from edge.device.framing import CODE_CHARACTERS_MAX, STALE_MS, Framer, Heard, ScannerLayout


def hear(framer: Framer, text: str, at_ms: int = 0) -> list[str]:
    return [each.code or each.trouble for each in framer.feed(text, at_ms)]


def test_codes_follow_each_other_and_empty_ones_are_none() -> None:
    assert hear(Framer(ScannerLayout()), "12\r\r\n34\n") == ["12", "34"]


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        (ScannerLayout(), "A1\r\n"),
        (ScannerLayout(terminator="tab"), "A1\t"),
        (ScannerLayout(terminator="etx"), "\x02A1\x03"),
        (ScannerLayout(prefix="99", suffix="#"), "99A1#\r"),
        (ScannerLayout(suffix="\t"), "A1\t\r"),
    ],
)
def test_a_code_comes_without_what_the_set_up_puts_around_it(
    layout: ScannerLayout, text: str
) -> None:
    assert hear(Framer(layout), text) == ["A1"]


def test_without_a_terminator_a_pause_ends_the_code() -> None:
    framer = Framer(ScannerLayout(terminator="none", gap_ms=60))
    assert hear(framer, "690", 1000) + hear(framer, "12", 1059) == []
    assert framer.pause(1118) == []
    assert framer.pause(1119) == [Heard("69012")]
    assert hear(framer, "1", 2000) == []
    assert hear(framer, "2", 2060) == ["1"]


def test_the_group_separator_stays_at_both_ends_and_a_text_may_stand_for_it() -> None:
    assert hear(Framer(ScannerLayout()), "\x1d0112\x1d10A\x1d\r") == ["\x1d0112\x1d10A\x1d"]
    assert hear(Framer(ScannerLayout(separator="{GS}")), "0112{GS}10A\r") == ["0112\x1d10A"]


def test_symbology_ids_stay() -> None:
    assert hear(Framer(ScannerLayout(aim=True)), "]E06901234567892\r") == ["]E06901234567892"]


def test_lost_characters_spoil_the_code_but_not_the_next_and_are_told_once() -> None:
    framer = Framer(ScannerLayout())
    hear(framer, "690")
    assert framer.spoil(1) == [Heard(trouble="scanner.keys_lost")]
    assert framer.spoil(2) == []
    assert hear(framer, "67892\r42\r", 3) == ["42"]


def test_when_the_end_was_lost_too_a_pause_ends_what_is_spoilt() -> None:
    framer = Framer(ScannerLayout())
    framer.spoil(1000)
    assert hear(framer, "42\r", 1000 + STALE_MS) == ["42"]


def test_a_beginning_without_an_end_is_not_the_beginning_of_the_next() -> None:
    framer = Framer(ScannerLayout())
    hear(framer, "6901", 1000)
    assert hear(framer, "42\r", 1000 + STALE_MS) == ["scanner.partial", "42"]


def test_an_endless_code_is_dropped_and_told_at_once() -> None:
    framer = Framer(ScannerLayout())
    assert hear(framer, "1" * (CODE_CHARACTERS_MAX + 1)) == ["scanner.too_long"]
    assert hear(framer, "1" * 1000 + "\r42\r") == ["42"]
    assert hear(framer, "1" * CODE_CHARACTERS_MAX + "\r") == ["1" * CODE_CHARACTERS_MAX]


def test_a_code_that_the_cable_cut_is_told() -> None:
    framer = Framer(ScannerLayout())
    assert framer.cut_off() == []
    hear(framer, "6901")
    assert framer.cut_off() == [Heard(trouble="scanner.partial")]
    assert hear(framer, "42\r") == ["42"]


def test_the_same_code_again_counts_unless_the_set_up_says_how_soon_it_does_not() -> None:
    assert hear(Framer(ScannerLayout()), "42\r42\r") == ["42", "42"]
    framer = Framer(ScannerLayout(repeat_ms=300))
    assert hear(framer, "42\r", 1000) + hear(framer, "42\r", 1299) == ["42", "scanner.repeated"]
    assert hear(framer, "43\r", 1300) + hear(framer, "42\r", 1301) == ["43", "42"]
    assert hear(framer, "42\r", 1601) == ["42"]


def test_what_takes_longer_than_it_may_was_typed_by_a_person() -> None:
    framer = Framer(ScannerLayout(within_ms=1500))
    for n, character in enumerate("TBPAIR"):
        hear(framer, character, n * 400)
    assert hear(framer, "\r", 2400) == ["scanner.typed"]
    assert hear(framer, "42", 3000) + hear(framer, "\r", 3100) == ["42"]


def test_stx_begins_anew_when_an_etx_was_lost() -> None:
    framer = Framer(ScannerLayout(terminator="etx"))
    assert hear(framer, "\x026901\x0242\x03") == ["scanner.partial", "42"]


@pytest.mark.parametrize("terminator", ["enter", "none"])
def test_a_reader_that_was_held_up_takes_no_gap_for_a_pause(terminator: str) -> None:
    framer = Framer(ScannerLayout(terminator=terminator))
    assert framer.feed("69012", 1000, is_exact=False) == []
    assert framer.feed("34567892", 1000 + 2 * STALE_MS, is_exact=False) == []
    ended = framer.feed("\r", 1000 + 2 * STALE_MS, is_exact=False)
    assert ended + framer.pause(1000 + 3 * STALE_MS) == [Heard("6901234567892")]


def test_silence_that_was_seen_ends_what_was_begun_for_every_reader() -> None:
    framer = Framer(ScannerLayout())
    framer.feed("6901", 1000, is_exact=False)
    assert framer.pause(1000 + STALE_MS) == [Heard(trouble="scanner.partial")]
    assert framer.feed("42\r", 1600, is_exact=False) == [Heard("42")]
