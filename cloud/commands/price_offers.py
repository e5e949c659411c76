"""`tillbox-cloud price load` and `price dump`."""

from __future__ import annotations

import getpass
import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import closing

from cloud.clock import SystemClock
from cloud.commands.say import say, say_errors
from cloud.db import database_of
from cloud.offer import service
from cloud.offer.check import OfferLintError
from cloud.offer.file import yaml_text
from cloud.offer.plan import ChangeKind
from cloud.offer.service import ImportOffers, OfferImport
from cloud.offer.store import Author
from cloud.settings import Settings
from cloud.texts import texts_of
from shared.price.document_error import DocumentRefusedError
from shared.price.lint import Finding
from shared.price.lint_finding import finding_text


def load(settings: Settings, chosen: Namespace) -> int:
    """Take over a file of offers: one line per change, then the counts.

    Every error of the file on standard error, with its place, and exit status 1.
    """
    author = Author(_person(), SystemClock().now_ms(), chosen.reason or chosen.file.name)
    with closing(database_of(settings)) as database, chosen.file.open("rb") as stream:
        try:
            command = ImportOffers(stream, chosen.replace, chosen.dry_run)
            done = service.import_offers(database, command, author)
        except DocumentRefusedError as refused:
            say_errors(refused)
            return 1
        except OfferLintError as refused:
            _say_findings(refused.findings)
            raise
    _say_findings(done.findings)
    _say_changes(done, is_dry=chosen.dry_run)
    return 0


def dump(settings: Settings, chosen: Namespace) -> None:
    """Write every active offer to standard output, as a document that can be loaded again."""
    with closing(database_of(settings)) as database:
        document = service.export(database)
    if chosen.yaml:
        sys.stdout.write(yaml_text(document))
    else:
        say(json.dumps(document, ensure_ascii=False, indent=2))


def _person() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have a number only
        return "tillbox-cloud"


def _say_findings(findings: Sequence[Finding]) -> None:
    """What lint found, on standard error; amounts in minor units, as in a file."""
    texts = texts_of("en")
    for each in findings:
        culprits = f" [{', '.join(each.offers)}]" if each.offers else ""
        sys.stderr.write(f"{each.severity.value}: {finding_text(each, texts, None)}{culprits}\n")


def _say_changes(done: OfferImport, *, is_dry: bool) -> None:
    for change in done.changes:
        if change.is_change:
            words = f" ({', '.join(change.words)})" if change.words else ""
            say(f"{change.kind.value} {change.offer_id} v{change.after.version}{words}")
    kinds = [change.kind for change in done.changes]
    counts = ", ".join(f"{kinds.count(kind)} {kind.value}" for kind in ChangeKind)
    say(f"{counts}. {'Nothing was written.' if is_dry else 'Stores get it when it is published.'}")
