from dataclasses import replace

import pytest

from edge.sync import uplink
from edge.sync.backoff import full_jitter_ms
from edge.sync.uplink import Greet, Send, UplinkState, Wait
from shared.wire.batch import BATCH_BYTES_MAX
from shared.wire.message import Ack, AckCode

NOW = 1_000_000


def ack(code: AckCode, head: int, retry_ms: int = 0) -> Ack:
    return Ack("s", code, head, "aa", -1, "", "1-1", NOW, retry_ms)


def take(state: UplinkState, message: Ack, jitter: float = 0.5) -> tuple[UplinkState, str]:
    return uplink.acknowledged(state, message, has_our_hash=True, now_ms=NOW, jitter=jitter)


def streaming(cloud_head: int = 9) -> UplinkState:
    state = uplink.greeted(uplink.connected(UplinkState(cloud_head=cloud_head), NOW), NOW)
    state, _ = take(state, ack(AckCode.OK, cloud_head))
    return state


def act(state: UplinkState, head: int, now_ms: int = NOW, jitter: float = 0.5) -> object:
    return uplink.next_action(state, head, now_ms, jitter)[1]


def test_a_fresh_connection_greets_before_it_sends() -> None:
    state = uplink.connected(UplinkState(), NOW)
    assert act(state, 5) == Greet()
    state = uplink.greeted(state, NOW)
    assert isinstance(act(state, 5), Wait)
    state, _ = take(state, ack(AckCode.OK, -1))
    assert act(state, 5) == Send(0)


def test_few_entries_wait_two_seconds_for_company() -> None:
    state = uplink.appended(streaming(), 800, NOW)
    assert act(state, 10) == Wait(NOW + uplink.FLUSH_AFTER_MS)
    assert act(state, 10, NOW + uplink.FLUSH_AFTER_MS) == Send(10)


def test_a_completed_sale_is_sent_at_once_unless_a_batch_is_in_flight() -> None:
    state = uplink.hurried(uplink.appended(streaming(), 800, NOW))
    assert act(state, 10) == Send(10)
    state = uplink.sent(state, 10, 10, NOW)
    state = uplink.hurried(uplink.appended(state, 800, NOW))
    assert act(state, 11) == Wait(NOW + uplink.ANSWER_WITHIN_MS)
    state, _ = take(state, ack(AckCode.OK, 10))
    assert act(state, 11) == Send(11)


@pytest.mark.parametrize(("count", "size"), [(200, 1), (2, BATCH_BYTES_MAX)])
def test_a_full_batch_waits_for_nobody(count: int, size: int) -> None:
    state = streaming()
    for _ in range(count):
        state = uplink.appended(state, size, NOW)
    assert act(state, 9 + count) == Send(10)


def test_a_batch_without_an_answer_is_sent_again_after_a_jittered_pause() -> None:
    state = uplink.sent(uplink.hurried(streaming()), 10, 10, NOW)
    late = NOW + uplink.ANSWER_WITHIN_MS
    state, action = uplink.next_action(state, 10, late, 0.5)
    assert action == Wait(late + 10_000)
    assert state.failures == 1
    assert act(state, 10, late + 10_000) == Send(10)
    assert not uplink.is_heard(state, late)


@pytest.mark.parametrize("code", [AckCode.GAP, AckCode.BUSY])
@pytest.mark.parametrize("jitter", [0.0, 0.999])
def test_a_refusal_never_causes_an_instant_resend(code: AckCode, jitter: float) -> None:
    state = uplink.sent(uplink.hurried(streaming()), 10, 10, NOW)
    state, verdict = take(state, ack(code, 4), jitter)
    assert verdict == "refused"
    action = act(state, 10, jitter=jitter)
    assert isinstance(action, Wait)
    assert action.until_ms is not None
    assert action.until_ms >= NOW + uplink.WAIT_MS_MIN


def test_a_gap_moves_back_to_where_the_cloud_stands_and_busy_does_not() -> None:
    state = uplink.sent(streaming(), 10, 10, NOW)
    assert take(state, ack(AckCode.GAP, 4))[0].cloud_head == 4
    assert take(state, ack(AckCode.BUSY, -1))[0].cloud_head == 9


def test_busy_waits_as_long_as_the_cloud_asks() -> None:
    state, _ = take(streaming(), ack(AckCode.BUSY, -1, retry_ms=120_000), jitter=0.0)
    assert state.not_before_ms == NOW + 120_000


def test_an_old_answer_after_a_newer_one_is_ignored() -> None:
    state, _ = take(uplink.sent(streaming(), 20, 20, NOW), ack(AckCode.OK, 20))
    again, verdict = take(state, ack(AckCode.OK, 12))
    assert (again, verdict) == (state, "late")


def test_a_part_of_a_batch_leaves_the_rest_in_flight() -> None:
    state, _ = take(uplink.sent(streaming(), 20, 20, NOW), ack(AckCode.OK, 15))
    assert state.cloud_head == 15
    assert state.in_flight is not None


@pytest.mark.parametrize("code", [AckCode.FORK, AckCode.REVOKED, AckCode.BAD])
def test_fork_revoked_and_bad_stop_the_stream_until_a_hello_is_answered_well(
    code: AckCode,
) -> None:
    state, verdict = take(streaming(), ack(code, 9))
    assert verdict == "halted"
    assert isinstance(act(state, 50), Wait)
    state, _ = take(uplink.greeted(state, NOW), ack(AckCode.OK, 9))
    assert act(state, 50) == Send(10)


def test_a_restored_cloud_gets_again_what_it_lost() -> None:
    state, verdict = take(uplink.greeted(streaming(), NOW), ack(AckCode.OK, 3))
    assert verdict == "rewound"
    assert act(state, 9) == Send(4)


def test_a_hello_without_an_answer_is_said_again() -> None:
    state = uplink.greeted(uplink.connected(UplinkState(), NOW), NOW)
    late = NOW + uplink.ANSWER_WITHIN_MS
    state, action = uplink.next_action(state, -1, late, 0.5)
    assert action == Wait(late + 10_000)
    assert act(state, -1, late + 10_000) == Greet()


def test_a_hello_is_said_every_quarter_of_an_hour() -> None:
    state = streaming()
    assert act(state, 9) == Wait(NOW + uplink.HELLO_EVERY_MS)
    assert act(state, 9, NOW + uplink.HELLO_EVERY_MS) == Greet()


def test_nothing_happens_without_a_connection() -> None:
    state = uplink.disconnected(uplink.sent(streaming(), 10, 10, NOW))
    assert state.in_flight is None
    assert act(uplink.hurried(state), 10) == Wait(None)
    assert not uplink.is_heard(state, NOW)


def test_the_cloud_is_heard_while_its_answers_come_in_time() -> None:
    state = uplink.greeted(streaming(), NOW)
    assert uplink.is_heard(state, NOW + uplink.ANSWER_WITHIN_MS - 1)
    assert not uplink.is_heard(state, NOW + uplink.ANSWER_WITHIN_MS)
    assert not uplink.is_heard(replace(state, failures=1), NOW)


def test_jitter_spreads_over_the_whole_time_up_to_five_minutes() -> None:
    assert full_jitter_ms(0, 10_000, 0.0) == 0
    assert full_jitter_ms(1, 10_000, 0.5) == 10_000
    assert full_jitter_ms(9, 10_000, 0.5) == 150_000
    assert full_jitter_ms(99, 10_000, 0.999) < 300_000


def test_a_cloud_that_lacks_what_the_box_has_forgotten_stops_the_stream() -> None:
    state = replace(streaming(9), first_kept=8)
    state, verdict = take(uplink.greeted(state, NOW), ack(AckCode.OK, 3))
    assert (verdict, state.halt) == ("halted", "behind")
    assert isinstance(act(state, 20), Wait)
    state, _ = take(uplink.greeted(state, NOW), ack(AckCode.OK, 7))
    assert state.halt is None
    assert act(state, 20) == Send(8)
