"""Rows 25-50 and 52-61: network, broker, identity, cloud."""

from __future__ import annotations

from tests.faults.fault import Fault

_LINE = "proxy between box and broker"
_REAL = "real broker, worker and database"
_SIM = "deterministic simulation"

_NETWORK = "tests/faults/test_network.py::"
_BROKER = "tests/faults/test_broker.py::"
_WORKERS = "tests/faults/test_workers.py::"
_DATABASE = "tests/faults/test_database.py::"
_IDENTITY = "tests/faults/test_identity.py::"
_OBJECTS = "tests/faults/test_objects.py::"
_TIMED = "tests/faults/test_timed_prices.py::"
_ENROLMENT = "tests/integration/cloud/test_enrolment.py::"
_DAY = (
    "tests/simulation/test_simulation_1.py::test_nothing_is_lost_or_doubled_whatever_the_day_brings"
)

_NETWORK_ROWS = (
    Fault(
        25,
        "A batch is lost on its way up",
        "It is sent again after the time-out and stored once",
        f"{_LINE}; {_SIM}",
        (f"{_NETWORK}test_a_batch_that_is_lost_on_its_way_is_sent_again", _DAY),
    ),
    Fault(
        26,
        "An acknowledgement is lost",
        "The batch comes again, is answered `dup`, and every sale has had its effects once",
        f"{_LINE}; {_SIM}",
        (f"{_NETWORK}test_a_lost_acknowledgement_makes_a_duplicate_that_changes_nothing", _DAY),
    ),
    Fault(
        27,
        "A batch comes again minutes later, after newer ones",
        "Its hashes are compared with what is stored and it is ignored",
        f"{_REAL}; {_SIM}",
        (f"{_NETWORK}test_a_batch_that_comes_again_much_later_is_compared_and_ignored", _DAY),
    ),
    Fault(
        28,
        "An old acknowledgement comes after a newer one",
        "It moves nothing back",
        f"{_REAL}; {_SIM}",
        (
            f"{_NETWORK}test_an_old_acknowledgement_after_a_newer_one_moves_nothing_back",
            "tests/unit/edge/sync/test_uplink.py::test_an_old_answer_after_a_newer_one_is_ignored",
        ),
    ),
    Fault(
        29,
        "Resets in mid-packet, one byte at a time, half of all pieces stalled, answers later than"
        " the time-out, a line slower than the time-out, a partition",
        "Progress without a storm, one batch on its way at a time",
        _LINE,
        (
            f"{_NETWORK}test_a_connection_reset_in_the_middle_of_a_batch_again_and_again",
            f"{_NETWORK}test_one_byte_at_a_time_and_half_of_all_pieces_stalled",
            f"{_NETWORK}test_answers_that_always_come_after_the_time_out_still_count",
            f"{_NETWORK}test_a_line_slower_than_the_time_out_does_not_fill_up_with_copies",
            f"{_NETWORK}test_a_partition_of_a_day_loses_nothing_and_selling_goes_on",
        ),
        gap="time-outs, latency and bandwidth are scaled to a twenty-fifth so that a test takes"
        " seconds",
    ),
    Fault(
        30,
        "A line that is open on both ends and carries nothing",
        "The broker notices within 1.5 keepalives, the box within 2, and connects anew",
        _LINE,
        (f"{_NETWORK}test_a_half_open_line_is_noticed_and_replaced",),
        gap="with a keepalive of 1 s; the box's client library allows no less than 2 keepalives",
    ),
)

_BROKER_ROWS = (
    Fault(
        31,
        "The broker is killed and comes back empty",
        "Boxes and workers subscribe again, say hello and drain",
        _REAL,
        (
            f"{_BROKER}test_a_broker_killed_with_batches_under_way_comes_back_empty_and_nothing_is_lost",
            "tests/integration/cloud/test_mqtt.py::test_it_comes_back_after_the_broker_and_subscribes_again",
        ),
    ),
    Fault(
        32,
        "The broker is there and no worker is (PUBACK 0x10)",
        "It is counted, the box keeps everything and waits longer and longer",
        _REAL,
        (f"{_BROKER}test_without_a_worker_the_broker_says_success_and_the_box_keeps_everything",),
    ),
    Fault(
        33,
        "The broker refuses to take batches (PUBACK 0x87, 0x97)",
        "It is counted and logged, nothing counts as delivered, no storm",
        "real broker with other topic rights",
        (f"{_BROKER}test_a_refused_publish_is_no_delivery_and_no_storm",),
        gap="0x97 (quota) takes the same branch but no broker here can be made to say it",
    ),
    Fault(
        34,
        "A worker is killed while it holds batches",
        "The boxes send them again within the time-out",
        _REAL,
        (
            f"{_WORKERS}test_a_worker_killed_while_it_holds_many_batches_costs_a_time_out_and_nothing_else",
            "tests/integration/cloud/test_worker.py::test_two_workers_share_the_batches_and_survive_the_death_of_one",
        ),
    ),
    Fault(
        35,
        "A worker is stuck (stopped, or a handler that never ends)",
        "The broker puts it out or it ends itself; the others serve its stores",
        _REAL,
        (
            f"{_WORKERS}test_a_stopped_worker_is_put_out_by_the_broker_and_the_others_serve_its_stores",
            f"{_WORKERS}test_a_worker_that_hangs_ends_itself_and_the_next_one_goes_on",
            f"{_WORKERS}test_an_error_that_nobody_foresaw_costs_the_box_a_time_out_and_the_worker_nothing",
        ),
        gap="with a keepalive of 1 s instead of 60 s, so not after the real 90 s",
    ),
    Fault(
        36,
        "A worker is killed between commit and acknowledgement",
        "The same batch is answered `dup`",
        _REAL,
        (
            "tests/integration/cloud/test_worker.py::test_a_worker_killed_between_commit_and_ack_loses_and_doubles_nothing",
        ),
    ),
    Fault(
        37,
        "A rogue box joins the workers' shared subscription",
        "It cannot know the group's name; if it does it reads nothing, and what it swallows is"
        " sent again",
        _REAL,
        (
            f"{_BROKER}test_a_box_that_guesses_a_group_name_takes_nothing_from_anybody",
            f"{_BROKER}test_a_box_that_knows_the_group_name_slows_others_down_but_loses_nothing_for_them",
        ),
        gap="no canary batch measures how much is swallowed: only the boxes' time-outs show it",
    ),
    Fault(
        38,
        "10,000 boxes come back at once",
        "Under 100 connections a second, all back within 300 s",
        _SIM,
        (
            "tests/simulation/test_reconnect.py::test_ten_thousand_boxes_come_back_within_five_minutes_and_under_a_hundred_a_second",
        ),
        gap="2,000 real connections are held by a benchmark (tests/bench/connections.py), not by"
        " a test",
    ),
    Fault(
        39,
        "The broker has no file descriptor left",
        "Boxes sell on, back off and get in when there is room",
        "limited broker",
        (f"{_BROKER}test_a_broker_without_a_free_file_descriptor_lets_boxes_in_later",),
        gap="nobody raises an alarm on the broker's refusals: the broker's own log has them",
    ),
    Fault(
        40,
        "A captive portal, or somebody in the middle of TLS",
        "The box stays offline and sells",
        "not brought about",
        gap="boxes reach the broker by name and password without TLS so far: there is no"
        " certificate to fail",
    ),
    Fault(
        41,
        "The server's certificate expired, the CA was rolled, the revocation list is stale",
        "Offline, an alarm, no loss",
        "not brought about",
        gap="there are no certificates between boxes and cloud so far",
    ),
    Fault(
        42,
        "An exception in a callback, malformed payloads, 2 MiB of them, a zstd bomb",
        "Logged and counted; worker and box live on",
        _REAL,
        (
            f"{_BROKER}test_payloads_of_two_megabytes_from_either_side_hurt_nobody_else",
            f"{_WORKERS}test_garbage_on_a_boxes_own_topic_stops_neither_the_worker_nor_the_box",
            "tests/integration/cloud/test_worker.py::test_no_payload_takes_the_worker_down",
            "tests/integration/cloud/test_mqtt.py::test_a_handler_that_raises_is_counted_and_the_next_message_comes",
            "tests/integration/edge/test_sync.py::test_garbage_from_the_broker_is_counted_and_the_box_lives_on",
        ),
    ),
)

_IDENTITY_ROWS = (
    Fault(
        43,
        "A card is cloned and both boxes are online",
        "The fork is found, the loser begins a journal of its own, every sale counts once by id",
        f"{_REAL}; {_SIM}",
        (
            f"{_IDENTITY}test_two_boxes_with_one_card_both_sell_and_every_sale_counts_once",
            "tests/integration/cloud/test_lives.py::test_a_clones_tail_counts_once_whichever_stream_brings_it_first",
            "tests/integration/edge/test_journal_lives.py::test_another_machine_with_the_same_card_is_a_clone",
            _DAY,
        ),
        gap="what both copies sold before they met HQ may bear the same receipt numbers",
    ),
    Fault(
        44,
        "An old image is put back on the same box",
        "It begins a journal of its own; no number of the stream is used again",
        f"{_REAL}; {_SIM}",
        (
            f"{_IDENTITY}test_an_old_image_on_the_same_box_reuses_no_number_and_loses_nothing",
            "tests/integration/edge/test_journal_lives.py::test_a_file_that_lags_behind_its_mark_is_an_old_one",
            _DAY,
        ),
    ),
    Fault(
        45,
        "A box is swapped while its card holds a tail that nobody has",
        "The tail completes the old stream with its own signatures",
        "real API and database",
        (
            "tests/integration/cloud/test_box_swap.py::test_the_old_card_is_handed_in_by_the_box_after_it",
            "tests/integration/cloud/test_box_swap.py::test_a_mirror_is_as_good_as_the_card",
            "tests/integration/cloud/test_lives.py::test_a_tail_is_salvaged_over_http_with_the_old_boxs_signature",
        ),
    ),
    Fault(
        46,
        "The old box comes back after the swap",
        "Its tail is taken, it starts no new sales and says so",
        _REAL,
        (
            "tests/integration/cloud/test_standing.py::test_a_retired_box_is_told_so_and_its_tail_is_taken",
            "tests/integration/edge/test_sync.py::test_the_box_hears_that_it_was_replaced",
            "tests/integration/edge/test_standing.py::test_a_replaced_box_starts_no_new_sale",
        ),
    ),
    Fault(
        47,
        "A box is revoked while it is connected",
        "Its batches are refused, it is cut off and kept out",
        _REAL,
        (
            "tests/integration/cloud/test_standing.py::test_a_box_that_is_revoked_while_connected_is_refused",
            "tests/integration/cloud/test_standing.py::test_a_revoked_box_is_cut_off_and_kept_out_until_it_is_reinstated",
        ),
    ),
    Fault(
        48,
        "The answer to an enrolment is lost",
        "The same token with the same key gets the same answer",
        "real API",
        (
            f"{_ENROLMENT}test_a_lost_answer_can_be_asked_for_again",
            "tests/integration/edge/test_fetch_and_enrol.py::test_a_repeat_after_a_lost_answer_asks_for_the_same_signed_anew",
        ),
    ),
    Fault(
        49,
        "A token is used with another key",
        "Refused and written down",
        "real API",
        (
            f"{_ENROLMENT}test_a_used_token_is_worth_nothing_to_another_box",
            f"{_ENROLMENT}test_a_token_that_is_tried_with_another_key_is_written_down",
        ),
    ),
    Fault(
        50,
        "A certificate expired while the shop was closed for 120 days",
        "Selling never stops; the box renews",
        "not brought about",
        gap="boxes have log-ins that do not expire instead of certificates so far",
    ),
)

_CLOUD_ROWS = (
    Fault(
        52,
        "PostgreSQL is restored to an hour ago",
        "A new incarnation is told; boxes bring again what is missing; both sides agree",
        f"real PostgreSQL; {_SIM}",
        (
            "tests/integration/cloud/test_restore.py::test_after_a_restore_the_boxes_bring_everything_again",
            "tests/integration/edge/test_sync.py::test_a_cloud_that_was_restored_gets_again_what_it_lost",
            "tests/integration/edge/test_replica.py::test_the_same_number_from_another_incarnation_is_another_content",
            _DAY,
        ),
    ),
    Fault(
        53,
        "A restore to before what the boxes still remember",
        "The box says `behind` and waits; the archive fills the database up; nothing is skipped",
        f"real PostgreSQL and archive; {_SIM}",
        (
            "tests/unit/edge/sync/test_uplink.py::test_a_cloud_that_lacks_what_the_box_has_forgotten_stops_the_stream",
            "tests/integration/cloud/test_archive_restore.py::test_a_database_that_went_back_in_time_is_filled_up_from_the_archive",
            "tests/simulation/test_known_bad.py::test_every_kind_of_fault_and_of_answer_comes_up",
        ),
    ),
    Fault(
        54,
        "PostgreSQL stops, is killed, ends a connection, deadlocks, or holds a row for long",
        "`busy`, the box sends again, no part of a batch is stored, other stores go on",
        "real PostgreSQL",
        (
            f"{_DATABASE}test_while_the_database_is_away_boxes_are_asked_to_wait_and_nothing_is_half_stored",
            f"{_DATABASE}test_a_stream_whose_row_somebody_holds_waits_and_others_do_not",
            f"{_DATABASE}test_a_deadlock_undoes_the_batch_and_it_comes_again",
            f"{_DATABASE}test_a_connection_that_is_ended_in_the_middle_of_a_batch_stores_nothing_of_it",
        ),
        gap="no replica takes over here: a failover is a stop and a start",
    ),
    Fault(
        55,
        "The connection is lost at COMMIT: nobody knows whether it happened",
        "The next try is judged by the stored head: `dup` or `ok`",
        "proxy between worker and database",
        (
            f"{_DATABASE}test_a_commit_whose_outcome_nobody_knows_is_settled_by_the_next_try",
            f"{_DATABASE}test_a_worker_behind_a_cable_that_is_cut_at_every_commit_gets_there_all_the_same",
        ),
    ),
    Fault(
        56,
        "A sale that makes no sense: any field spoilt in any way",
        "Stored, flagged, acknowledged, a work item; the stream moves on",
        "real PostgreSQL",
        (
            "tests/faults/test_poison.py::test_no_nonsense_stops_a_stream_or_books_money_that_does_not_balance",
            "tests/faults/test_poison.py::test_a_mistake_in_a_poster_flags_what_it_stumbles_over_and_books_the_rest",
            "tests/integration/cloud/test_ingest.py::test_a_poison_sale_is_stored_flagged_and_acknowledged",
            "tests/integration/cloud/test_work_items.py::test_a_poison_sale_is_an_item_that_tells_what_it_is",
        ),
    ),
    Fault(
        57,
        "Objects come slowly, not at all, cut off, with an expired address, with other bytes, or"
        " with another signature",
        "The old catalogue stays; fetched again with pauses; the reason is reported",
        "proxy before the object store",
        (
            f"{_OBJECTS}test_an_object_that_is_cut_off_three_times_arrives_whole_at_the_fourth",
            f"{_OBJECTS}test_a_slow_line_that_keeps_moving_is_waited_for",
            f"{_OBJECTS}test_a_line_that_stops_moving_is_given_up_and_leaves_nothing",
            f"{_OBJECTS}test_an_object_whose_address_has_expired_is_asked_for_again_and_then_reported",
            f"{_OBJECTS}test_bytes_that_are_not_what_their_name_says_never_become_a_catalogue",
            "tests/integration/edge/test_sync.py::test_a_price_that_head_office_did_not_sign_is_never_fetched",
            f"{_TIMED}test_what_does_not_come_whole_that_way_comes_singly",
            f"{_TIMED}test_while_nothing_comes_whole_the_old_prices_stay_and_the_reason_is_told",
            f"{_TIMED}test_a_wrong_signature_is_told_and_changes_nothing",
        ),
    ),
    Fault(
        58,
        "Catalogue revisions come out of order, are skipped, are repeated",
        "The box converges to the newest; the digest is equal",
        "generated histories",
        (
            "tests/property/test_publication.py::test_a_box_converges_whatever_messages_power_and_clocks_do",
            "tests/property/test_publication.py::test_a_box_converges_from_any_state",
            "tests/property/test_publication.py::test_nothing_is_active_before_its_instant",
            f"{_TIMED}test_what_head_office_takes_back_does_not_come",
        ),
    ),
    Fault(
        59,
        "A bad price push",
        "Halted before it reaches the chain; a new revision puts it right",
        "real API",
        (
            "tests/integration/cloud/test_publication.py::test_an_absurd_price_is_refused_until_it_is_confirmed",
        ),
        gap="there are no canary stores and no automatic halt so far: a person confirms",
    ),
    Fault(
        60,
        "An update that installs and crashes after three minutes",
        "The launcher goes back to the version before; the rollout halts",
        "a release that is well and then dies; real launcher, real files, real database",
        (
            "tests/faults/test_updates.py::test_a_release_that_was_well_and_then_crashes_is_given_up_at_once",
            "tests/integration/edge/test_launcher.py::test_a_crash_some_minutes_after_it_was_well_brings_the_old_release_back_within_seconds",
            "tests/integration/cloud/test_software.py::test_one_canary_that_goes_back_halts_the_rollout_and_spares_the_others",
        ),
        gap="its three minutes are a tenth of a second here",
    ),
    Fault(
        61,
        "The version before on one side of any message, or the version after",
        "Unknown fields stay in the bytes, unknown kinds are stored, unknown answers are dropped",
        "recorded bytes of the first version",
        (
            "tests/golden/test_wire_v1.py::test_a_message_of_the_first_version_is_read_and_said_again_for_its_readers",
            "tests/golden/test_wire_v1.py::test_what_a_later_version_adds_to_a_message_is_ignored",
            "tests/golden/test_wire_v1.py::test_a_batch_of_the_first_version_is_unpacked_to_the_very_bytes_that_were_hashed",
            "tests/golden/test_wire_v1.py::test_every_entry_of_the_first_version_is_read_and_said_again_for_its_readers",
            "tests/faults/test_versions.py::test_the_journal_of_a_first_version_box_is_stored_and_booked",
            "tests/faults/test_versions.py::test_what_a_later_box_adds_to_header_and_entries_is_kept_and_does_no_harm",
            "tests/faults/test_versions.py::test_a_box_outlives_answers_that_only_later_software_understands",
        ),
        gap="recorded messages stand for the other version: its program itself does not run",
    ),
)

FLEET_ROWS: tuple[Fault, ...] = (*_NETWORK_ROWS, *_BROKER_ROWS, *_IDENTITY_ROWS, *_CLOUD_ROWS)
