"""Rows 1-24, 51 and 62: the box's power, disk, clock, and hands inside its files."""

from __future__ import annotations

from tests.faults.fault import Fault

_REPLAY = "power-loss replay of recorded system calls"
_KILL = "SIGKILL at a failpoint"
_INJECT = "strace fault injection"
_DISK = "small tmpfs"
_EDIT = "edited file"
_LATER = "not shown yet"

BOX_ROWS: tuple[Fault, ...] = (
    Fault(
        1,
        "Power cut before a sale's transaction begins",
        "No sale; the basket is still there under the same id and can be paid",
        _REPLAY,
        gap=_LATER,
    ),
    Fault(
        2,
        "Power cut between insert and commit",
        "The sale is absent, nothing was printed, its receipt number goes to the next sale",
        _REPLAY,
        gap=_LATER,
    ),
    Fault(
        3,
        "Power cut after the commit, before printing",
        "The sale is there; its receipt is printed at the start; the drawer stays shut",
        f"{_REPLAY}; {_KILL}",
        gap=_LATER,
    ),
    Fault(
        4,
        "Power cut while the receipt prints",
        "The sale is there; what is printed again says that it is a copy",
        _KILL,
        gap=_LATER,
    ),
    Fault(
        5,
        "Power cut after printing, before the till page hears of it",
        "The page asks again with the same id and gets the sale that is there",
        _KILL,
        gap=_LATER,
    ),
    Fault(
        6,
        "Torn 512-byte sectors in the tail of the write-ahead log",
        "Only what was not committed is dropped",
        _REPLAY,
        gap=_LATER,
    ),
    Fault(
        7,
        "Writes reach the disk in another order",
        "Only what was not committed is dropped",
        _REPLAY,
        gap=_LATER,
    ),
    Fault(8, "Power cut during a checkpoint", "Everything is there", _REPLAY, gap=_LATER),
    Fault(
        9,
        "Power cut while old entries are pruned",
        "Pruned wholly or not at all; the anchor of the chain is there",
        _REPLAY,
        gap=_LATER,
    ),
    Fault(
        10,
        "Power cut while a catalogue snapshot takes over",
        "The old or the new revision, never a mix, with the digest that was published",
        _REPLAY,
        gap=_LATER,
    ),
    Fault(
        11,
        "Power cut while a catalogue delta is applied",
        "The old or the new revision, never a mix, with the digest that was published",
        _REPLAY,
        gap=_LATER,
    ),
    Fault(
        12,
        "Power cut in any state of the updater",
        "The old or the new software runs within two starts",
        _KILL,
        gap="this version has no updater",
    ),
    Fault(
        13,
        "The disk reports an error at the sync of a commit",
        "The journal is reopened, the sale looked up by its id, then the till gets an answer",
        _INJECT,
        gap=_LATER,
    ),
    Fault(
        14,
        "The disk cannot read the journal",
        "The file is sealed, a new journal begins, an alarm is raised, selling goes on",
        _INJECT,
        gap=_LATER,
    ),
    Fault(
        15,
        "The disk is full at a commit",
        "The ballast is given up, one alarm, the sale is kept",
        _DISK,
        gap=_LATER,
    ),
    Fault(
        16,
        "The disk is full and the ballast is gone",
        "Payment is refused beforehand, clearly; nothing is half booked",
        _DISK,
        gap=_LATER,
    ),
    Fault(
        17,
        "The file system turns read-only",
        "Payment is refused, clearly; nothing is half booked",
        _DISK,
        gap=_LATER,
    ),
    Fault(
        18,
        "A bit flips in a stored entry",
        "The check names the entry",
        _EDIT,
        gap=_LATER,
    ),
    Fault(
        19,
        "The journal's file is zeroed or gone",
        "A new journal begins with cause `corrupt`; the old one's tail comes from a copy",
        _EDIT,
        gap=_LATER,
    ),
    Fault(
        20,
        "The write-ahead log is gone",
        "The mark outside the file is ahead of it: a new journal with cause `restore`, an alarm",
        _EDIT,
        gap=_LATER,
    ),
    Fault(
        21,
        "Two processes open the journal",
        "The second one is refused",
        "two processes",
        gap=_LATER,
    ),
    Fault(
        22,
        "A sync takes five seconds",
        "The till shows progress, nothing is booked twice, the link to the cloud stays up",
        _INJECT,
        gap=_LATER,
    ),
    Fault(
        23,
        "The stick with the mirror is pulled out",
        "The mirror is reported as degraded; selling is not touched",
        _DISK,
        gap=_LATER,
    ),
    Fault(
        24,
        "A journal of five years",
        "Opened within ten seconds",
        "generated journal",
        gap=_LATER,
    ),
    Fault(
        51,
        "1970, ten years ahead, an hour back in mid-basket, summer time, 29 February",
        "Entries stay in order and tell the clock's quality; no price begins early",
        "injected clock",
        gap=_LATER,
    ),
    Fault(
        62,
        "Somebody with the root password edits, removes or cuts off entries",
        "The check names the entry; the cloud refuses what does not continue what it holds",
        _EDIT,
        gap=_LATER,
    ),
)
