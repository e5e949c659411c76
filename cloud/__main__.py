"""`tillbox-cloud`: head office's server and its helpers."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from importlib import import_module
from pathlib import Path

from cloud.commands.backup_parser import add_archive, add_backup
from cloud.settings import ENV_PREFIX, Settings, read_settings
from cloud.texts import sentence
from shared.kernel.errors import RetailError, UnavailableError

DESCRIPTION = """\
Head office of a Tillbox chain: catalogue, prices, publications, sales and the console.
"""
RELEASE_VERBS = (
    *("approve", "reject", "cancel", "pause", "resume", "advance", "halt", "roll-back"),
)
EPILOG = f"""\
a new installation, step by step:
  export {ENV_PREFIX}DATABASE_URL=postgresql://user:password@host/tillbox
  tillbox-cloud migrate                         make or update the tables
  tillbox-cloud hq-key init                     make the key that signs prices
  tillbox-cloud user add alice --role admin     then sign in as alice
  tillbox-cloud api                             the API and the console (port 8080)
  tillbox-cloud worker                          takes the stores' sales from the MQTT broker
  tillbox-cloud store add 17 "Main street" --time-zone Asia/Shanghai --currency CNY
  tillbox-cloud claim 17                        a token for that store's box

settings: a TOML file (--config), each value also as {ENV_PREFIX}<NAME>;
`tillbox-cloud settings` lists them.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; a failure is one sentence on standard error and exit status 1."""
    chosen = _parser().parse_args(arguments)
    try:
        settings = read_settings(chosen.config, os.environ)
        return int(_command(chosen.run)(settings, chosen) or 0)
    except RetailError as error:
        return _failed(error)
    except OSError as error:
        path, because = error.filename or ".", error.strerror or str(error)
        return _failed(UnavailableError("system.file", path=str(path), because=because))
    except KeyboardInterrupt:
        return 130


def _failed(error: RetailError) -> int:
    sys.stderr.write(f"tillbox-cloud: {sentence(error)}\n")
    return 1


def _command(place: str) -> Callable[[Settings, argparse.Namespace], int | None]:
    """The function `module.name` below `cloud.commands`, loaded only when it is called for."""
    module, _, name = place.partition(".")
    found: Callable[[Settings, argparse.Namespace], int | None]
    found = getattr(import_module(f"cloud.commands.{module}"), name)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tillbox-cloud",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings as TOML")
    kinds = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_servers(kinds)
    _add_people(kinds)
    _add_stores(kinds)
    _add_boxes(kinds)
    _add_software(kinds)
    _add_light_boxes(kinds)
    _add_price(kinds)
    _add_releases(kinds)
    _add_export(kinds)
    _add_work_items(kinds)
    add_archive(kinds)
    add_backup(kinds)
    _add_proofs(kinds)
    _add_receipts(kinds)
    return parser


_Kinds = argparse._SubParsersAction  # noqa: SLF001 - argparse gives its type no public name


def _add_servers(kinds: _Kinds[argparse.ArgumentParser]) -> None:
    kinds.add_parser("migrate", help="make or update the database's tables").set_defaults(
        run="database.migrate"
    )
    api = kinds.add_parser("api", help="run the API and the console")
    api.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    api.add_argument("--port", type=int, help="port to listen on (default 8080)")
    api.set_defaults(run="servers.api")
    kinds.add_parser(
        "worker", help="run the worker that takes in the stores' journals"
    ).set_defaults(run="worker.worker")
    kinds.add_parser("settings", help="list all settings with their values").set_defaults(
        run="installation.settings"
    )
    key = kinds.add_parser("hq-key", help="the key that signs what the boxes sell by")
    actions = key.add_subparsers(required=True, metavar="ACTION")
    init = actions.add_parser("init", help="make the key; never overwrites one")
    init.set_defaults(run="installation.init_hq_key")
    _add_ca(kinds)


def _add_ca(kinds: _Kinds[argparse.ArgumentParser]) -> None:
    ca = kinds.add_parser("ca", help="the chain's own certificates: who is a box, who a server")
    actions = ca.add_subparsers(required=True, metavar="ACTION")
    init = actions.add_parser("init", help="make both CAs in ca_dir; never overwrites one")
    init.add_argument(
        "--dns-suffix",
        required=True,
        metavar="shops.example",
        help="servers and boxes have names below this; the CA can vouch for no other",
    )
    init.set_defaults(run="ca.init")
    actions.add_parser("show", help="which CAs count, until when").set_defaults(run="ca.show")
    for verb, text in (
        ("roll", "make the next CA known beside the present one"),
        ("switch", "let the next CA sign; the present one still counts"),
        ("retire", "forget the old CA: what it signed counts no more"),
    ):
        action = actions.add_parser(verb, help=text)
        action.add_argument("kind", choices=("device", "chain"))
        action.set_defaults(run=f"ca.{verb}", force=False)
        if verb == "switch":
            action.add_argument("--force", action="store_true", help="though some may not know it")
    crl = actions.add_parser("crl", help="write which boxes' certificates count no more")
    crl.add_argument("--out", type=Path, metavar="FILE", help="(default: broker_crl_file)")
    crl.set_defaults(run="ca.crl")
    server = actions.add_parser(
        "server-cert", help="a certificate for a broker, an API or a till page; made when due"
    )
    server.add_argument("name", nargs="+", help="name or private address by which it is reached")
    server.add_argument("--out", type=Path, required=True, metavar="DIR")
    server.set_defaults(run="ca.server_cert")


def _add_people(kinds: _Kinds[argparse.ArgumentParser]) -> None:
    user = kinds.add_parser("user", help="people who may sign in to the console")
    actions = user.add_subparsers(required=True, metavar="ACTION")
    add = actions.add_parser("add", help="add a user, or give one a new role and password")
    add.add_argument("name", help="lower-case letters, digits, dot, dash")
    add.add_argument(
        "--role",
        required=True,
        help="admin, buyer, approver, it, accountant, auditor, area_manager, reader or your own",
    )
    add.add_argument("--display-name", default="", help="as shown (default: the name)")
    add.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input"
    )
    add.set_defaults(run="people.add_user")
    actions.add_parser("list", help="list all users").set_defaults(run="people.list_users")
    token = actions.add_parser("token", help="print a token for a program; its older one ends")
    token.add_argument("name", help="of the program")
    token.add_argument("--role", required=True, help="as for `add`")
    token.add_argument("--days", type=int, default=365, help="how long it is good (default 365)")
    token.set_defaults(run="people.make_token")
    lost = actions.add_parser("reset-totp", help="after a lost telephone: set it up anew")
    lost.add_argument("name", help="who lost it")
    lost.set_defaults(run="people.reset_totp")
    log = kinds.add_parser("audit", help="the log of who did and saw what")
    actions = log.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("head", help="print its newest row's number and hash").set_defaults(
        run="people.audit_head"
    )
    verify = actions.add_parser("verify", help="check that no row was changed, added or taken out")
    verify.add_argument(
        "--head", default="", metavar="N:HASH", help="as `audit head` printed it, kept elsewhere"
    )
    verify.set_defaults(run="people.audit_verify")


def _add_stores(kinds: _Kinds[argparse.ArgumentParser]) -> None:
    store = kinds.add_parser("store", help="the chain's stores")
    actions = store.add_subparsers(required=True, metavar="ACTION")
    add = actions.add_parser("add", help="add a store, or change one")
    add.add_argument("store_id", help="letters, digits, dash: stays for ever")
    add.add_argument("name", help="as printed on receipts")
    add.add_argument("--time-zone", required=True, help="for example Asia/Shanghai")
    add.add_argument("--currency", required=True, help="for example CNY")
    add.set_defaults(run="stores.add_store")
    actions.add_parser("list", help="list all stores").set_defaults(run="stores.list_stores")
    claim = kinds.add_parser("claim", help="make a token that enrols one box, valid 72 hours")
    claim.add_argument("store_id", help="the store that the box is for")
    claim.set_defaults(run="stores.claim")


def _add_light_boxes(kinds: _Kinds[argparse.ArgumentParser]) -> None:
    fleet = kinds.add_parser("fleet", help="try this installation with simulated stores")
    actions = fleet.add_subparsers(required=True, metavar="ACTION")
    simulate = actions.add_parser("simulate", help="run light boxes that speak the real protocol")
    simulate.set_defaults(run="fleet_simulate.simulate")
    simulate.add_argument("--stores", type=int, default=100, help="how many (default 100)")
    simulate.add_argument("--minutes", type=float, default=60.0, help="how long (default 60)")
    simulate.add_argument("--sales-per-day", type=int, default=0, help="of each store (default 0)")
    simulate.add_argument(
        "--processes", type=int, default=2, help="over how many processes (default 2)"
    )
    simulate.add_argument(
        "--beside-real-stores",
        action="store_true",
        help="also where real stores are: publications reach both",
    )


def _add_software(kinds: _Kinds[argparse.ArgumentParser]) -> None:
    software = kinds.add_parser("software", help="what the boxes run: take in, bring, stop")
    actions = software.add_subparsers(required=True, metavar="ACTION")
    add = actions.add_parser("add", help="take in a folder of wheels as one version")
    add.add_argument("folder", type=Path, help="all wheels, for every machine of the chain")
    add.add_argument("--notes", default="", help="one line for people")
    add.add_argument("--requires", default="", metavar="VERSION", help="oldest it may follow")
    add.add_argument("--python", default="3.11", help="Python of the boxes (default 3.11)")
    publish = actions.add_parser("publish", help="sign a version and bring it to the stores")
    publish.add_argument("version", help="as `software status` names it")
    publish.add_argument("--waves", default="1%,10%,50%,100%", help="growing shares of the stores")
    publish.add_argument(
        "--soak-h", type=float, default=24, metavar="HOURS", help="how long each wave is watched"
    )
    publish.add_argument(
        "--hours", default="02:00-05:00", metavar="HH:MM-HH:MM", help='store time; "" is any time'
    )
    publish.add_argument("--note", default="", help="why")
    for name, text in (
        ("halt", "let no further box take it"),
        ("resume", "go on; the failures of by now count no more"),
        ("cancel", "give the rollout up"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("--reason", required=True, help="why")
        action.set_defaults(run=f"software.{name}")
    add.set_defaults(run="software.add")
    publish.set_defaults(run="software.publish")
    actions.add_parser(
        "status", help="versions, the newest rollout, boxes to look at"
    ).set_defaults(run="software.status")


def _add_boxes(kinds: _Kinds[argparse.ArgumentParser]) -> None:
    box = kinds.add_parser("box", help="the boxes: list, retire, revoke, reinstate")
    actions = box.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="list all boxes").set_defaults(run="boxes.list_boxes")
    show = actions.add_parser("show", help="a box's journals and what was done to it")
    show.set_defaults(run="boxes.show_box")
    show.add_argument("dev", metavar="DEV", help="the box, as in `box list`")
    for name, text in (
        ("retire", "no new sales; what it has not sent yet is still taken"),
        ("revoke", "shut out a lost or stolen box"),
        ("reinstate", "put a box back into service"),
    ):
        action = actions.add_parser(name, help=text)
        action.set_defaults(run=f"boxes.{name}")
        action.add_argument("dev", metavar="DEV", help="the box, as in `box list`")
        action.add_argument("--reason", required=True, help="written down beside the change")
        action.add_argument("--by", default="", help="who decided it (default: your login name)")
    incarnation = kinds.add_parser("incarnation", help="which life of the database this is")
    lives = incarnation.add_subparsers(required=True, metavar="ACTION")
    lives.add_parser("show", help="print it").set_defaults(run="incarnation.show")
    bump = lives.add_parser(
        "bump", help="after putting back a copy of the data folder: boxes compare at once"
    )
    bump.set_defaults(run="incarnation.bump")


def _add_price(kinds: _Kinds[argparse.ArgumentParser]) -> None:
    price = kinds.add_parser("price", help="offers: check, explain, lint and simulate them")
    actions = price.add_subparsers(required=True, metavar="ACTION")
    check = actions.add_parser("check", help="price golden baskets (promo-cases/1) and compare")
    check.add_argument("file", type=Path, metavar="FILE.json")
    check.add_argument("--case", metavar="ID", help="show one basket with the offers that acted")
    check.add_argument("--json", type=Path, metavar="FILE", help="write all results to a file")
    check.set_defaults(run="price_check.check")
    _add_explain(actions)
    _add_lint(actions)
    load = actions.add_parser("load", help="take over a file of offers (JSON or YAML) as drafts")
    load.add_argument("file", type=Path, metavar="FILE")
    load.add_argument("--replace", action="store_true", help="end offers that the file leaves out")
    load.add_argument("--dry-run", action="store_true", help="tell the changes, write nothing")
    load.add_argument("--reason", help="noted beside each change (default: the file's name)")
    load.set_defaults(run="price_offers.load")
    dump = actions.add_parser("dump", help="write all active offers to standard output")
    dump.add_argument("--yaml", action="store_true", help="as YAML instead of JSON")
    dump.set_defaults(run="price_offers.dump")
    _add_simulate(actions)


def _add_releases(kinds: _Kinds[argparse.ArgumentParser]) -> None:
    release = kinds.add_parser("release", help="bring drafts to the stores in waves, or back")
    actions = release.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="list releases, the newest first")
    listed.add_argument("--state", default="", help="only in this state, such as rolling")
    show = actions.add_parser("show", help="a release's waves, guards and events")
    show.add_argument("release", type=int, metavar="ID")
    draft = actions.add_parser("draft", help="what a release of all drafts would change")
    for action, run in ((listed, "list_releases"), (show, "show"), (draft, "draft")):
        action.add_argument("--json", action="store_true", help="print JSON")
        action.set_defaults(run=f"release.{run}")
    submit = actions.add_parser("submit", help="hand in all drafts; prints the release's number")
    submit.add_argument("--note", default="", help="why, as others read it")
    submit.add_argument("--starts", metavar="2026-11-27T00:00", help="on each store's own clock")
    submit.add_argument("--waves", metavar="1,10,50,100", help="shares (default: the policy's)")
    submit.add_argument("--soak", type=int, metavar="MIN", help="time of each wave (default: 15)")
    submit.add_argument("--approve", action="store_true", help="at once, where the policy lets")
    submit.set_defaults(run="release.submit")
    verbs = [submit]
    for verb in RELEASE_VERBS:
        action = actions.add_parser(verb, help=f"{verb} a release")
        action.add_argument("release", type=int, metavar="ID")
        action.set_defaults(run="release.act", verb=verb)
        verbs.append(action)
    for action in verbs:
        action.add_argument("--by", required=True, metavar="USER", help="a person of the console")
        action.add_argument("--reason", default="", help="written down beside it")


def _add_receipts(kinds: _Kinds[argparse.ArgumentParser]) -> None:
    receipt = kinds.add_parser("receipt", help="prove receipts")
    actions = receipt.add_subparsers(required=True, metavar="ACTION")
    verify = actions.add_parser(
        "verify", help="tell whether a receipt stands: in the database, or offline by a proof"
    )
    verify.add_argument(
        "receipt", nargs="*", metavar="URL | STORE DAY NUMBER CODE", help="as printed"
    )
    verify.add_argument("--proof", type=Path, metavar="FILE", help="check this proof, offline")
    verify.add_argument("--hq-pub", metavar="HEX", help="head office's public key (default: ours)")
    verify.add_argument("--save", type=Path, metavar="FILE", help="write the whole proof")
    verify.set_defaults(run="receipt.verify")
    members = kinds.add_parser("members", help="keys of members' personal data; erasing again")
    actions = members.add_subparsers(required=True, metavar="ACTION")
    for name, summary in (
        ("init-key", "make a key file for members' data, in place of head office's key"),
        ("roll-key", "add a key, which seals from then on"),
        ("reseal", "bring all members' data under the newest key"),
        ("erase", "erase again whom logs on standard input tell, after a database was put back"),
    ):
        action = actions.add_parser(name, help=summary)
        action.set_defaults(run=f"members.{name.replace('-', '_')}")
    certificate = kinds.add_parser("certificate", help="completeness certificates of days")
    actions = certificate.add_subparsers(required=True, metavar="ACTION")
    for name, summary in (
        ("show", "print a day's certificates as JSON"),
        ("verify", "check a day's certificates against the entries as they are now"),
    ):
        action = actions.add_parser(name, help=summary)
        action.add_argument("store_id", metavar="STORE")
        action.add_argument("day", type=date.fromisoformat, metavar="YYYY-MM-DD")
        action.set_defaults(run=f"certificate.{name}")


def _add_lint(actions: _Kinds[argparse.ArgumentParser]) -> None:
    lint = actions.add_parser(
        "lint", help="find offers that never act, always lose, overlap or sell below cost"
    )
    lint.add_argument("file", type=Path, metavar="FILE", help="offers as JSON or YAML")
    lint.add_argument(
        "--items",
        type=Path,
        metavar="ITEMS.csv",
        help="the catalogue: ean13, regular_price_cents, cost_cents... (default: the database's)",
    )
    lint.add_argument("--store", metavar="ID", help="only the offers of one store, at its prices")
    lint.add_argument("--currency", help="of amounts in quotes, if the file names none")
    lint.add_argument("--json", action="store_true", help="print the findings as JSON")
    lint.set_defaults(run="price_lint.lint_file")


def _add_explain(actions: _Kinds[argparse.ArgumentParser]) -> None:
    explain = actions.add_parser(
        "explain", help="tell what each offer does to a basket, or why it does nothing"
    )
    explain.add_argument("file", type=Path, metavar="BASKET.json", help="a case of promo-cases/1")
    explain.add_argument("--case", metavar="ID", help="which case of the file (default: the first)")
    rules = explain.add_mutually_exclusive_group()
    rules.add_argument(
        "--rules", type=Path, metavar="FILE", help="offers as JSON or YAML, not the basket's own"
    )
    rules.add_argument("--store", metavar="ID", help="the offers that are published for a store")
    explain.add_argument("--currency", default="CNY", help="of all amounts (default: CNY)")
    explain.add_argument("--language", default="en", choices=("zh-CN", "zh-TW", "en"))
    explain.set_defaults(run="price_explain.explain_basket")


def _add_simulate(actions: _Kinds[argparse.ArgumentParser]) -> None:
    simulate = actions.add_parser(
        "simulate", help="price recorded sales again under a draft and under today's offers"
    )
    simulate.add_argument(
        "--rules", type=Path, required=True, metavar="FILE", help="the draft, as JSON or YAML"
    )
    simulate.add_argument(
        "--from",
        dest="from_on",
        type=date.fromisoformat,
        required=True,
        metavar="DATE",
        help="first business date",
    )
    simulate.add_argument(
        "--to",
        dest="to_on",
        type=date.fromisoformat,
        required=True,
        metavar="DATE",
        help="last business date",
    )
    simulate.add_argument("--stores", metavar="1,2", help="only these stores (default: all)")
    simulate.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        help="compare with these offers (default: what is published for each store)",
    )
    simulate.add_argument(
        "--jobs", type=int, metavar="N", help="processes (default: one for each core)"
    )
    simulate.add_argument("--json", type=Path, metavar="FILE", help="write the whole report")
    simulate.add_argument("--csv", type=Path, metavar="FILE", help="write a row for each offer")
    simulate.set_defaults(run="price_simulate.simulate")


def _add_export(kinds: _Kinds[argparse.ArgumentParser]) -> None:
    export = kinds.add_parser("export", help="sales for accountants and BI")
    formats = export.add_subparsers(required=True, metavar="FORMAT")
    for name, text in (
        ("poslog", "an ARTS POSLog 6 document (XML)"),
        ("jsonl", "flat rows as JSON lines"),
    ):
        one = formats.add_parser(name, help=text)
        for end, which in (("from", "first"), ("to", "last")):
            one.add_argument(
                f"--{end}",
                dest=f"{end}_on",
                type=date.fromisoformat,
                required=True,
                metavar="DATE",
                help=f"{which} business date",
            )
        one.add_argument("--stores", metavar="1,2", help="only these stores (default: all)")
        one.add_argument(
            "--out", type=Path, metavar="FILE", help="write to a file (default: standard output)"
        )
        one.set_defaults(run=f"export.{name}")


def _add_proofs(kinds: _Kinds[argparse.ArgumentParser]) -> None:
    verify = kinds.add_parser("verify", help="check all journals: chains, signatures, daily seals")
    verify.add_argument("--store", metavar="ID", help="only the journals of one store")
    verify.add_argument("--stream", metavar="HEX", help="only one journal")
    verify.add_argument("--archive", action="store_true", help="read the archive back too")
    verify.add_argument(
        "--hq-pub", metavar="HEX", help="who must have signed the seals (default: our own key)"
    )
    verify.set_defaults(run="verify.verify")
    rebuild = kinds.add_parser("rebuild", help="make the books anew from the journals' entries")
    rebuild.add_argument("--check", action="store_true", help="only compare, change nothing")
    rebuild.add_argument("--store", metavar="ID", help="only one store")
    rebuild.set_defaults(run="rebuild.rebuild_books")


def _add_work_items(kinds: _Kinds[argparse.ArgumentParser]) -> None:
    work = kinds.add_parser("work-items", help="what people have to look at")
    actions = work.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="list open items, the newest first")
    listed.add_argument("--done", action="store_true", help="list settled items instead")
    listed.add_argument("--store", default="", metavar="ID", help="only of this store")
    listed.add_argument("--code", default="", help="only with this code")
    listed.add_argument("--json", action="store_true", help="print JSON")
    listed.set_defaults(run="work_items.list_items")
    show = actions.add_parser("show", help="tell what happened, what to do, and what it is about")
    done = actions.add_parser("done", help="settle an item")
    repost = actions.add_parser("repost", help="book a flagged entry after all")
    for action, run in ((show, "show"), (done, "settle"), (repost, "repost")):
        action.add_argument("item", help="as `list` names it")
        action.set_defaults(run=f"work_items.{run}")
    show.add_argument("--language", default="en", choices=("zh-CN", "zh-TW", "en"))
    done.add_argument("--reason", required=True, help="why it needs nothing more")


if __name__ == "__main__":
    sys.exit(main())
