"""What a demo remembers between two starts: ports, log-ins, and how far it got."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from shared.staff.pin import is_weak
from tests.lab.net import accepts, free_port

STATE_FILE = "demo.json"
FIRST_CONSOLE_PORT = 8080
FIRST_TILL_PORT = 8461
PIN_DIGITS = 6


def new_pin() -> str:
    """Six random digits that nobody guesses."""
    while is_weak(pin := f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}"):
        pass
    return pin


@dataclass(slots=True)
class StoreState:
    """One store box: where it listens and what it is called."""

    store_id: str
    name: str
    port: int
    scanner_port: int


@dataclass(slots=True)
class DemoState:
    """Ports, log-ins (made up on the first start) and whether the story has been told."""

    console_port: int
    worker_port: int
    device_port: int
    internal_port: int
    console_user: str = "hq"
    console_password: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    cashier_pin: str = field(default_factory=new_pin)
    manager_pin: str = field(default_factory=new_pin)
    stores: list[StoreState] = field(default_factory=list)
    is_told: bool = False
    shelf_port: int = 0
    """Of the first store's own broker; 0 for none."""
    tls_port: int = field(default_factory=free_port)
    """Where boxes with certificates connect."""


def load_or_create(folder: Path, stores: list[tuple[str, str]]) -> DemoState:
    """The state in `folder`, or a new one for these (id, name) stores."""
    path = folder / STATE_FILE
    if path.exists():
        raw = json.loads(path.read_text())
        raw["stores"] = [StoreState(**store) for store in raw["stores"]]
        state = DemoState(**raw)
        save(folder, state)  # what an older demo did not know stays as it is made up now
        return state
    taken: set[int] = set()
    state = DemoState(
        console_port=_port_near(FIRST_CONSOLE_PORT, taken),
        worker_port=free_port(),
        device_port=free_port(),
        internal_port=free_port(),
        shelf_port=free_port(),
    )
    for place, (store_id, name) in enumerate(stores):
        port = _port_near(FIRST_TILL_PORT + place, taken)
        state.stores.append(StoreState(store_id, name, port, free_port()))
    save(folder, state)
    return state


def save(folder: Path, state: DemoState) -> None:
    """Write the state; it holds log-ins, so only its owner may read it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / STATE_FILE
    path.touch(mode=0o600)
    path.write_text(json.dumps(asdict(state), indent=2))


def _port_near(wanted: int, taken: set[int]) -> int:
    """A port that a person can guess, or any other free one."""
    port = wanted if wanted not in taken and not accepts(wanted) else free_port()
    taken.add(port)
    return port
