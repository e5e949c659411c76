"""The command line of a store box: `tillbox-edge`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.sale import explain
from edge.settings import SETTINGS_FILE, load_settings
from edge.texts import sentence
from shared.item.barcode import member_card_code, price_label_code, scheme_of
from shared.kernel.errors import RefusedError, RetailError, UnavailableError

DATA_DEFAULT = Path("/var/lib/tillbox")
_STATUS_TIMEOUT_S = 3
_DESCRIPTION = """\
A store box sells with or without the internet: it prices baskets, keeps the store's journal,
drives scanner, printer and drawer, and serves the till page.

First `enrol` it with the token that the console gave, then `run` it."""
_AFTER_SWAP = """\
It takes the place of {boxes}. Sales that only the old box knew are not lost:
  - till pages and a mirror stick hand them in by themselves once this box runs;
  - with the old card in a reader: tillbox-edge salvage FOLDER, its data folder on the card."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 with one sentence on stderr when it did not."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except RetailError as error:
        return _failed(error)
    except OSError as error:
        path = error.filename or getattr(options, "data", ".")
        because = error.strerror or str(error)
        return _failed(UnavailableError("system.file", path=str(path), because=because))
    except KeyboardInterrupt:
        return 130


def _failed(error: RetailError) -> int:
    print(f"tillbox-edge: {sentence(error)}", file=sys.stderr)  # noqa: T201
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tillbox-edge",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = _command(commands, "run", _run, "sell: serve the till page until stopped")
    run.epilog = f"Settings are read from {SETTINGS_FILE} in the data folder; all have defaults."

    enrol = _command(commands, "enrol", _enrol, "make this box known to the cloud, once")
    _add_claim(enrol)

    _command(commands, "status", _status, "tell how the box is, also when it does not run")

    test = _command(
        commands, "self-test", _self_test, "try every device and the disk; prints nothing on paper"
    )
    test.add_argument("--json", action="store_true", help="say it as JSON")
    test.epilog = "A running box does it itself; without one the devices are opened for it."

    train = _command(
        commands,
        "train-sale",
        _train_sale,
        "sell one item in training; print it, and a test page",
    )
    train.add_argument("--json", action="store_true", help="say it as JSON")
    train.add_argument(
        "--wait-s", type=int, default=0, metavar="S", help="for goods to sell (default 0)"
    )
    train.add_argument("--first", action="store_true", help="not where the box has sold already")
    train.epilog = "The running box does it. It is in the journal as training and counts nowhere."

    verify = _command(
        commands, "verify-journal", _verify, "check every entry of a journal or of a mirror"
    )
    verify.add_argument(
        "path",
        nargs="?",
        type=Path,
        help="a data folder, a journal file or mirror files (default: this box's own journal)",
    )
    verify.add_argument("--json", action="store_true", help="say it as JSON")

    salvage = _command(
        commands, "salvage", _salvage, "hand in what a dead box has not sent to head office"
    )
    salvage.add_argument(
        "path", type=Path, help="its data folder or journal.db on the old card, or its mirror files"
    )
    salvage.add_argument("--to", metavar="URL", help="address of the cloud, if it has moved")
    salvage.epilog = "PATH is only read. What head office has already is not sent again."

    _add_backups(commands)

    replay = _command(
        commands, "replay", _replay, "price the store's last business day again, on copies"
    )
    replay.add_argument("--day", default="last", metavar="DATE", help="another business date")
    replay.add_argument("--copies", type=Path, metavar="DIR", help="use copies made before")
    replay.add_argument("--json", action="store_true", help="say it as JSON")
    replay.epilog = "New software has to come to the same totals before a box takes it."

    _add_barcode(commands)
    _add_scanner_sheet(commands)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    function: Callable[[argparse.Namespace], int],
    summary: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=f"{summary.capitalize()}.")
    parser.add_argument(
        "--data",
        type=Path,
        default=DATA_DEFAULT,
        metavar="DIR",
        help=f"folder with settings, identity and journal (default {DATA_DEFAULT})",
    )
    parser.set_defaults(command=function)
    return parser


def _add_claim(command: argparse.ArgumentParser) -> None:
    command.add_argument("--cloud", metavar="URL", help="address of the cloud")
    command.add_argument("--token", help="claim token from the console (72 hours)")
    command.add_argument("--claim", metavar="URL", help="both, as the console's QR code says them")
    command.add_argument(
        "--ca", type=Path, metavar="FILE", help="the chain's own CA, where HTTPS comes from it"
    )


def _add_backups(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    backup = _command(
        commands, "backup", _backup, "seal a backup for head office's key, and read it back"
    )
    backup.add_argument(
        "--to", type=Path, metavar="DIR", help="only into this folder (default: as edge.toml says)"
    )
    backup.add_argument("--tail", action="store_true", help="only what head office may lack")
    backup.epilog = "The box may run meanwhile. Private keys are never in a backup."

    restore = _command(commands, "restore", _restore, "open a backup and check all of it")
    restore.add_argument("file", type=Path, help="the sealed backup (.tbk)")
    restore.add_argument(
        "--key", type=Path, required=True, metavar="FILE", help="head office's private backup key"
    )
    restore.add_argument(
        "--into", type=Path, metavar="DIR", help="a new folder (default: restored/ in the data)"
    )
    restore.add_argument(
        "--put-back", action="store_true", help="put what is missing into the box's data folder"
    )
    restore.epilog = "Nothing that is there is overwritten."

    swap = _command(commands, "swap", _swap, "put this new box into a dead one's place")
    _add_claim(swap)
    swap.add_argument("--backup", type=Path, metavar="FILE", help="the old box's backup (.tbk)")
    swap.add_argument("--key", type=Path, metavar="FILE", help="the key that opens it")
    swap.add_argument(
        "--old", type=Path, metavar="DIR", help="the old card's data folder, or a mirror stick"
    )
    swap.add_argument(
        "--start", default="", metavar="COMMAND", help="how to start the box, if not by systemd"
    )
    swap.add_argument(
        "--wait-s", type=int, default=300, metavar="S", help="for prices to come (default 300)"
    )
    swap.epilog = "May be run again after it was broken off: it goes on where it was."


def _add_barcode(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    summary = "explain codes, or make one for a price label or a member card"
    parser = commands.add_parser(
        "barcode",
        help=summary,
        description=f"{summary.capitalize()}.",
        epilog=explain.HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "codes", nargs="*", default=[], metavar="CODE", help="what a scanner sent; - reads stdin"
    )
    what.add_argument(
        "--price-label",
        nargs=2,
        metavar=("PLU", "MINOR"),
        help="make a label: price look-up number and price in minor units",
    )
    what.add_argument("--member", metavar="NUMBER", help="make a member card")
    parser.add_argument(
        "--country",
        default="",
        metavar="CC",
        type=str.upper,
        help="whose rules labels with a weight or price follow, such as SE (default: the chain's)",
    )
    parser.set_defaults(command=_barcode)


def _add_scanner_sheet(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    summary = "print the barcodes that set a scanner up, as a PDF"
    parser = commands.add_parser("scanner-sheet", help=summary, description=f"{summary}.")
    parser.add_argument("sheet", type=Path, help="a file of firmware-config/scanners/setup")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.pdf")
    parser.set_defaults(command=_scanner_sheet)


def _scanner_sheet(options: argparse.Namespace) -> int:
    from edge.device.setup_sheet import read_sheet, sheet_pdf  # noqa: PLC0415 - the same

    options.out.write_bytes(sheet_pdf(read_sheet(options.sheet)))
    return 0


def _run(options: argparse.Namespace) -> int:
    from edge.logs import set_up_logs  # noqa: PLC0415 - the other commands start faster

    set_up_logs()
    from edge.fleet_settings import load_with_fleet  # noqa: PLC0415
    from edge.server import run_box  # noqa: PLC0415

    run_box(load_with_fleet(options.data))
    return 0


def _enrol(options: argparse.Namespace) -> int:
    from edge.sync.enrol import enrol  # noqa: PLC0415
    from edge.sync.trust import claim_of, first_trust  # noqa: PLC0415

    claim = claim_of(options.claim, options.cloud, options.token)
    trust = first_trust(claim, options.ca)
    identity = enrol(options.data, claim.cloud_url, claim.token, trust)
    _say(f"This box is {identity.dev} of store {identity.store_id}, {identity.store_name}.")
    if identity.previous:
        boxes = ", ".join(dict.fromkeys(each.dev for each in identity.previous))
        _say(_AFTER_SWAP.format(boxes=boxes))
    return 0


def _status(options: argparse.Namespace) -> int:
    from edge.identity import load_identity  # noqa: PLC0415
    from edge.own_page import ask_own, own_url  # noqa: PLC0415

    settings = load_settings(options.data)
    identity = load_identity(options.data)
    try:
        facts = json.loads(ask_own(f"{own_url(settings)}/healthz", _STATUS_TIMEOUT_S))
    except (OSError, ValueError):
        facts = {"state": "not running", "dev": identity.dev, "store_id": identity.store_id}
    for name, value in facts.items():
        _say(f"{name:16} {value}")
    return 0 if facts["state"] == "ok" else 1


def _self_test(options: argparse.Namespace) -> int:
    from edge.ops.self_test_cli import self_test  # noqa: PLC0415

    return self_test(options)


def _train_sale(options: argparse.Namespace) -> int:
    from edge.ops.training_cli import train_sale  # noqa: PLC0415

    return train_sale(options)


def _verify(options: argparse.Namespace) -> int:
    from edge.copy.cli import verify  # noqa: PLC0415

    return verify(options)


def _salvage(options: argparse.Namespace) -> int:
    from edge.copy.cli import salvage  # noqa: PLC0415

    return salvage(options)


def _backup(options: argparse.Namespace) -> int:
    from edge.backup.cli import backup  # noqa: PLC0415
    from edge.copy.verify import heads_of  # noqa: PLC0415

    return backup(options, heads_of)


def _restore(options: argparse.Namespace) -> int:
    from edge.backup.cli import restore  # noqa: PLC0415
    from edge.copy.verify import heads_of  # noqa: PLC0415

    return restore(options, heads_of)


def _swap(options: argparse.Namespace) -> int:
    from edge.box_swap import swap  # noqa: PLC0415

    return swap(options)


def _replay(options: argparse.Namespace) -> int:
    from edge.updater.replay_cli import replay  # noqa: PLC0415

    return replay(options)


def _barcode(options: argparse.Namespace) -> int:
    if options.price_label:
        plu, minor = options.price_label
        if not minor.isascii() or not minor.isdigit():
            raise RefusedError("barcode.label_price", amount_minor=minor)
        _say(price_label_code(plu, int(minor)))
    elif options.member:
        _say(member_card_code(options.member))
    else:
        return _explain(options.codes, options.country)
    return 0


def _explain(codes: Sequence[str], country: str) -> int:
    scheme, is_all_read = scheme_of(country), True
    for code in explain.codes_of(codes, sys.stdin):
        line, is_read = explain.explained(code, scheme)
        _say(line)
        is_all_read = is_all_read and is_read
    return 0 if is_all_read else 1


def _say(text: str) -> None:
    print(text)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
