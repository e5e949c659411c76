"""Rows 1-24, 51 and 62: the box's power, disk, clock, and hands inside its files."""

from __future__ import annotations

from tests.faults.fault import Fault

_REPLAY = "power-loss replay of recorded system calls"
_KILL = "SIGKILL at a failpoint"
_INJECT = "strace fault injection"
_DISK = "small tmpfs"
_EDIT = "edited file"
_TIMED = "tests/faults/test_timed_prices.py::"

BOX_ROWS: tuple[Fault, ...] = (
    Fault(
        1,
        "Power cut before a sale's transaction begins",
        "No sale; the basket is still there under the same id and can be paid",
        _REPLAY,
        tests=(
            "tests/powerloss/test_counter_survives.py::test_a_payment_is_kept_answered_and_printed_once_wherever_it_is_cut_off",
            "tests/powerloss/test_journal_survives.py::test_no_power_cut_loses_a_sale_or_gives_a_receipt_number_twice",
        ),
        gap="what was scanned for the next customer may have to be scanned again",
    ),
    Fault(
        2,
        "Power cut between insert and commit",
        "The sale is absent, nothing was printed, its receipt number goes to the next sale",
        _REPLAY,
        tests=(
            "tests/powerloss/test_journal_survives.py::test_no_power_cut_loses_a_sale_or_gives_a_receipt_number_twice",
            "tests/powerloss/test_mistakes_show.py::test_a_receipt_before_the_commit_is_of_a_sale_that_is_not_there",
        ),
    ),
    Fault(
        3,
        "Power cut after the commit, before printing",
        "The sale is there; its receipt is printed at the start; the drawer stays shut",
        f"{_REPLAY}; {_KILL}",
        tests=(
            "tests/powerloss/test_counter_survives.py::test_a_payment_is_kept_answered_and_printed_once_wherever_it_is_cut_off",
            "tests/integration/edge/test_selling.py::test_a_basket_that_the_journal_knows_as_sold_is_not_open_any_more",
        ),
    ),
    Fault(
        4,
        "Power cut while the receipt prints",
        "The sale is there; what is printed again says that it is a copy",
        _KILL,
        tests=(
            "tests/powerloss/test_counter_survives.py::test_a_payment_is_kept_answered_and_printed_once_wherever_it_is_cut_off",
            "tests/integration/edge/test_selling.py::test_a_receipt_that_was_cut_off_is_queued_or_offered_again",
        ),
    ),
    Fault(
        5,
        "Power cut after printing, before the till page hears of it",
        "The page asks again with the same id and gets the sale that is there",
        _KILL,
        tests=(
            "tests/powerloss/test_counter_survives.py::test_a_payment_is_kept_answered_and_printed_once_wherever_it_is_cut_off",
            "tests/integration/edge/test_box.py::test_a_repeated_tender_is_one_sale",
        ),
    ),
    Fault(
        6,
        "Torn 512-byte sectors in the tail of the write-ahead log",
        "Only what was not committed is dropped",
        _REPLAY,
        tests=(
            "tests/powerloss/test_journal_survives.py::test_no_power_cut_loses_a_sale_or_gives_a_receipt_number_twice",
            "tests/powerloss/test_disk.py::test_a_torn_write_keeps_whole_sectors_as_the_disk_counts_them",
        ),
    ),
    Fault(
        7,
        "Writes reach the disk in another order",
        "Only what was not committed is dropped",
        _REPLAY,
        tests=(
            "tests/powerloss/test_journal_survives.py::test_no_power_cut_loses_a_sale_or_gives_a_receipt_number_twice",
            "tests/powerloss/test_mistakes_show.py::test_a_log_that_is_not_synced_at_each_commit_loses_sales",
        ),
    ),
    Fault(
        8,
        "Power cut during a checkpoint",
        "Everything is there",
        _REPLAY,
        tests=(
            "tests/powerloss/test_journal_survives.py::test_no_power_cut_during_a_checkpoint_loses_a_sale",
            "tests/powerloss/test_journal_survives.py::test_a_second_power_cut_during_the_recovery_loses_nothing",
        ),
    ),
    Fault(
        9,
        "Power cut while old entries are pruned",
        "Pruned wholly or not at all; the anchor of the chain is there",
        _REPLAY,
        tests=(
            "tests/powerloss/test_journal_survives.py::test_no_power_cut_during_a_checkpoint_loses_a_sale",
            "tests/powerloss/test_journal_survives.py::test_a_second_power_cut_during_the_recovery_loses_nothing",
        ),
    ),
    Fault(
        10,
        "Power cut while a catalogue snapshot takes over",
        "The old or the new revision, never a mix, with the digest that was published",
        _REPLAY,
        tests=(
            "tests/powerloss/test_catalogue_survives.py::test_a_revision_arrives_whole_or_not_at_all_by_snapshot_and_by_delta",
            "tests/faults/box/test_killed_switch.py::test_a_killed_box_goes_on_where_it_was_without_being_told_again",
        ),
    ),
    Fault(
        11,
        "Power cut while a catalogue delta is applied",
        "The old or the new revision, never a mix, with the digest that was published",
        _REPLAY,
        tests=(
            "tests/powerloss/test_catalogue_survives.py::test_a_revision_arrives_whole_or_not_at_all_by_snapshot_and_by_delta",
            "tests/faults/box/test_killed_switch.py::test_a_killed_box_goes_on_where_it_was_without_being_told_again",
            "tests/integration/edge/test_replica.py::test_a_delta_that_the_file_has_already_is_not_asked_of_it_again",
        ),
    ),
    Fault(
        12,
        "Power cut in any state of the updater",
        "The old or the new software runs within two starts",
        _KILL,
        tests=(
            "tests/faults/test_updates.py::test_a_power_cut_in_any_state_leaves_the_old_or_the_new_software_running",
            "tests/faults/test_updates.py::test_a_release_that_cannot_start_is_given_up_after_three_tries",
            "tests/integration/edge/test_launcher.py::test_power_cuts_are_not_held_against_a_healthy_release",
            "tests/integration/edge/test_launcher.py::test_without_its_note_it_runs_what_the_link_names",
        ),
        gap="a process is killed for the power cut: what the disk had not written yet is not lost",
    ),
    Fault(
        13,
        "The disk reports an error at the sync of a commit",
        "The journal is reopened, the sale looked up by its id, then the till gets an answer",
        _INJECT,
        tests=(
            "tests/faults/box/test_io_errors.py::test_an_error_at_a_commit_is_answered_by_what_the_file_holds",
            "tests/faults/box/test_io_errors.py::test_while_the_disk_fails_nothing_is_said_to_be_kept",
            "tests/faults/box/test_io_errors.py::test_a_kill_after_an_error_at_the_commit_leaves_one_sale_or_none",
        ),
    ),
    Fault(
        14,
        "The disk cannot read the journal",
        "The file is sealed, a new journal begins, an alarm is raised, selling goes on",
        _INJECT,
        tests=(
            "tests/faults/box/test_io_errors.py::test_a_journal_that_cannot_be_read_is_sealed_and_selling_goes_on",
        ),
        gap="at a start; an error in mid-day is answered as in row 13",
    ),
    Fault(
        15,
        "The disk is full at a commit",
        "The ballast is given up, one alarm, the sale is kept",
        _DISK,
        tests=(
            "tests/faults/box/test_disk.py::test_a_full_disk_takes_the_ballast_and_the_sale_is_kept",
        ),
    ),
    Fault(
        16,
        "The disk is full and the ballast is gone",
        "Payment is refused beforehand, clearly; nothing is half booked",
        _DISK,
        tests=(
            "tests/faults/box/test_disk.py::test_a_full_disk_without_ballast_refuses_and_books_nothing_by_halves",
            "tests/faults/box/test_disk.py::test_the_till_refuses_the_payment_and_takes_it_once_there_is_room",
            "tests/faults/box/test_disk.py::test_a_start_on_a_full_disk_does_not_end_the_journals_life",
        ),
    ),
    Fault(
        17,
        "The file system turns read-only",
        "Payment is refused, clearly; nothing is half booked",
        _DISK,
        tests=(
            "tests/faults/box/test_disk.py::test_a_disk_that_turns_read_only_stops_payment_and_loses_nothing",
        ),
    ),
    Fault(
        18,
        "A bit flips in a stored entry",
        "The check names the entry",
        _EDIT,
        tests=(
            "tests/faults/box/test_damage.py::test_a_flipped_bit_escapes_sqlite_but_not_the_chain",
            "tests/faults/box/test_damage.py::test_a_box_with_a_flipped_bit_goes_on_in_a_new_journal",
            "tests/integration/edge/test_upkeep.py::test_damage_is_named_by_its_entry_and_nothing_is_pruned",
        ),
        gap="the entry is put back from a copy by hand",
    ),
    Fault(
        19,
        "The journal's file is zeroed or gone",
        "A new journal begins with cause `corrupt`; the old one's tail comes from a copy",
        _EDIT,
        tests=(
            "tests/integration/edge/test_journal_lives.py::test_a_journal_that_is_gone_is_not_begun_again_under_its_name",
            "tests/integration/edge/test_salvage.py::test_everything_arrives_once_with_its_old_signature",
        ),
    ),
    Fault(
        20,
        "The write-ahead log is gone",
        "The mark outside the file is ahead of it: a new journal with cause `restore`, an alarm",
        _EDIT,
        tests=(
            "tests/faults/box/test_damage.py::test_a_log_that_was_removed_is_known_by_the_mark_outside",
            "tests/integration/edge/test_journal_lives.py::test_a_file_that_lags_behind_its_mark_is_an_old_one",
        ),
        gap="what was never acknowledged is missed by tablet and stick alone",
    ),
    Fault(
        21,
        "Two processes open the journal",
        "The second one is refused",
        "two processes",
        tests=(
            "tests/integration/edge/test_journal.py::test_a_second_process_is_refused",
            "tests/integration/edge/test_box.py::test_a_running_box_tells_its_status_and_keeps_a_second_one_out",
        ),
    ),
    Fault(
        22,
        "A sync takes five seconds",
        "The till shows progress, nothing is booked twice, the link to the cloud stays up",
        _INJECT,
        tests=(
            "tests/faults/box/test_slow_disk.py::test_one_slow_sync_holds_up_one_sale_and_books_it_once",
        ),
    ),
    Fault(
        23,
        "The stick with the mirror is pulled out",
        "The mirror is reported as degraded; selling is not touched",
        _DISK,
        tests=(
            "tests/faults/box/test_stick.py::test_selling_goes_on_without_the_stick_and_a_new_one_gets_everything",
            "tests/faults/box/test_stick.py::test_a_stick_that_dies_is_told_and_holds_up_no_sale",
            "tests/faults/box/test_stick.py::test_a_full_stick_is_told_and_catches_up_once_there_is_room",
        ),
    ),
    Fault(
        24,
        "A journal of five years",
        "Opened within ten seconds",
        "generated journal",
        tests=(
            "tests/faults/box/test_long_journal.py::test_a_journal_of_years_is_opened_in_seconds_and_sells",
        ),
        gap="20,000 entries by default; TILLBOX_LONG_JOURNAL=1800000 makes it five years",
    ),
    Fault(
        51,
        "1970, ten years ahead, an hour back in mid-basket, summer time, 29 February",
        "Entries stay in order and tell the clock's quality; no price begins early or comes back",
        "injected clock",
        tests=(
            "tests/faults/box/test_clock.py::test_whatever_the_clock_says_sales_follow_each_other_on_the_open_day",
            "tests/faults/box/test_clock.py::test_an_hour_back_in_mid_basket_changes_no_price",
            "tests/faults/box/test_clock.py::test_a_price_of_tomorrow_waits_for_tomorrow",
            "tests/faults/box/test_clock.py::test_an_entry_says_that_nobody_vouches_for_its_time",
            "tests/faults/box/test_clock.py::test_no_setting_of_the_clock_brings_an_expired_offer_back_or_a_price_forward",
            f"{_TIMED}test_a_clock_that_nobody_vouches_for_switches_nothing",
            f"{_TIMED}test_a_clock_that_is_set_on_a_running_box_switches_nothing",
            f"{_TIMED}test_the_schedule_is_on_the_disk",
        ),
        gap="a box that was off may follow a clock that is up to a day ahead",
    ),
    Fault(
        62,
        "Somebody with the root password edits, removes or cuts off entries",
        "The check names the entry; the cloud refuses what does not continue what it holds",
        _EDIT,
        tests=(
            "tests/integration/edge/test_journal.py::test_whoever_edits_the_file_is_found_out",
            "tests/faults/box/test_damage.py::test_a_chain_that_was_made_to_fit_again_contradicts_what_was_acknowledged",
            "tests/faults/box/test_damage.py::test_after_the_edit_the_cloud_is_not_believed_and_does_not_believe",
            "tests/faults/box/test_damage.py::test_a_tail_that_was_cut_off_is_missed_where_it_was_acknowledged",
            "tests/faults/box/test_damage.py::test_a_removed_receipt_shows_in_the_totals_of_the_next_one",
        ),
        gap="who holds the box's key and rewrites what nobody has seen yet is not found out",
    ),
)
