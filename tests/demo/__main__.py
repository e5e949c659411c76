"""`make demo`: run a chain on this machine until Ctrl-C, or check it without a person."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.panel import Panel

from tests.demo.chain import TIME_ZONE, Chain
from tests.demo.console_client import ApiError
from tests.demo.opening import CASHIER, MANAGER
from tests.demo.pack.load import PackMissingError, load_pack
from tests.demo.pack.model import DemoPack
from tests.demo.replay import StoreRunner
from tests.demo.state import STATE_FILE, DemoState, load_or_create, save
from tests.demo.story import Story
from tests.lab.postgres import PostgresMissingError
from tests.lab.processes import StartError

FOLDER = Path(__file__).resolve().parents[2] / ".demo"


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument("--check", action="store_true", help="tell the story once and check it")
    parser.add_argument("--fresh", action="store_true", help="forget what an earlier demo left")
    parser.add_argument("--locale", default="zh-CN", choices=("zh-CN", "zh-TW", "en"))
    options = parser.parse_args()
    console = Console()
    try:
        return _check(console) if options.check else _run(console, options)
    except (StartError, ApiError, PackMissingError, PostgresMissingError) as error:
        console.print(f"[bold red]The demo stopped:[/] {error}", markup=True, highlight=False)
        return 1
    except KeyboardInterrupt:
        return 130


def _check(console: Console) -> int:
    """The story on a fresh chain that is thrown away; exit code 1 when a row is wrong."""
    pack = load_pack()
    folder = Path(tempfile.mkdtemp(prefix="tillbox-check-"))
    chain = Chain(folder, load_or_create(folder, _stores(pack)))
    is_right = False
    try:
        _start_cloud(console, chain)
        results = Story(chain, pack, console).tell()
        results.show(console)
        is_right = results.is_right
    finally:
        chain.stop()
        if is_right:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            console.print(f"Logs are kept in {folder}")
    return 0 if is_right else 1


def _run(console: Console, options: argparse.Namespace) -> int:
    if options.fresh:
        shutil.rmtree(FOLDER, ignore_errors=True)
    state = _state(FOLDER)
    chain = Chain(FOLDER, state, options.locale)
    try:
        if state.is_told:
            chain.launch_boxes()
        _start_cloud(console, chain)
        if state.is_told:
            with console.status("boxes"):
                chain.wait_for_boxes()
        else:
            Story(chain, load_pack(), console).tell().show(console)
            state.is_told = True
            save(FOLDER, state)
        _open_for_business(chain)
        _show_addresses(console, chain)
        _wait_for_interrupt()
    finally:
        with console.status("stopping"):
            chain.stop()
    console.print("All stopped. `make demo` brings it back as it was; ARGS=--fresh starts anew.")
    return 0


def _state(folder: Path) -> DemoState:
    """The state of an earlier demo; a story that was cut short is begun anew."""
    if (folder / STATE_FILE).exists():
        state = load_or_create(folder, [])
        if state.is_told:
            return state
        shutil.rmtree(folder)
    return load_or_create(folder, _stores(load_pack()))


def _stores(pack: DemoPack) -> list[tuple[str, str]]:
    numbers = sorted({receipt.store_id for receipt in pack.receipts})
    return [(str(number), f"Tillbox 超市 {number} 店") for number in numbers]


def _start_cloud(console: Console, chain: Chain) -> None:
    with console.status("PostgreSQL, broker, API, worker"):
        chain.start_cloud()
    if chain.broker.note:
        console.print(f"  {chain.broker.note}")


def _open_for_business(chain: Chain) -> None:
    """Open today's business day where it is not open, so that the tills can sell at once."""
    today = datetime.now(UTC).astimezone(ZoneInfo(TIME_ZONE)).date()
    for box in chain.boxes:
        runner = StoreRunner(box, chain.state)
        runner.open()
        runner.set_clock(None)
        if runner.till.view["state"] == "day_closed":
            runner.till.call("POST", "/v1/day/open", {"business_date": today.isoformat()})
        runner.till.call("DELETE", "/v1/lanes/1/session")
        runner.close()


def _show_addresses(console: Console, chain: Chain) -> None:
    state = chain.state
    lines = [
        f"[bold]Console[/]   {chain.console_url}",
        f"          user {state.console_user}   password {state.console_password}",
        "",
    ]
    for box in chain.boxes:
        lines.append(f"[bold]Till[/]      {box.url}   {box.store.name}")
        lines.append(f"          scanner, paper and drawer: {box.url}/virtual")
    lines += [
        "",
        f"          cashier {CASHIER}   PIN {state.cashier_pin}",
        f"          manager {MANAGER}   PIN {state.manager_pin}",
    ]
    console.print(
        Panel("\n".join(lines), title="The chain is open", highlight=False), soft_wrap=True
    )
    console.print("Ctrl-C stops everything.")


def _wait_for_interrupt() -> None:
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    stop.wait()


if __name__ == "__main__":
    sys.exit(main())
