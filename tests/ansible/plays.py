"""Runs playbooks as a person does, and reads what they did."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab.python_env import ANSIBLE_LOCK, ROOT, install_apart

ANSIBLE = ROOT / "ansible"
# A play on an emulated machine takes a quarter of an hour.
PLAY_S = 3600
_RECAP = re.compile(
    r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Played:
    """What a run of a playbook came to; counts are by host."""

    code: int
    took_s: float
    output: str
    changed: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)

    @property
    def changed_tasks(self) -> list[str]:
        """Names of tasks that changed something."""
        task, found = "", []
        for line in self.output.splitlines():
            if named := re.match(r"(?:TASK|RUNNING HANDLER) \[(.*?)\]", line):
                task = named[1]
            elif line.startswith("changed: "):
                found.append(f"{task} ({line.split('[')[1].split(']')[0]})")
        return found


def program(name: str) -> Path:
    """One of Ansible's programs, in its own environment."""
    return install_apart(ANSIBLE_LOCK).parent / name


def environment() -> dict[str, str]:
    """What Ansible's programs need around them."""
    folder = program("ansible-playbook").parent
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")},
        "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}",
        "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
    }


def play(name: str, inventory: Path, log: Path, *arguments: str) -> Played:
    """Run `playbooks/NAME.yml`; all that it said is added to `log`."""
    began = time.monotonic()
    command = [
        *(str(program("ansible-playbook")), "-i", str(inventory)),
        *(f"playbooks/{name}.yml", *arguments),
    ]
    with log.open("a+", encoding="utf-8") as kept:
        kept.write(f"\n===== {' '.join(command[3:])}\n")
        kept.flush()
        began_at = kept.tell()
        done = subprocess.run(
            command,
            cwd=ANSIBLE,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=kept,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=PLAY_S,
        )
        kept.seek(began_at)
        output = kept.read()
    took_s = time.monotonic() - began
    recap = _RECAP.findall(output)
    return Played(
        done.returncode,
        took_s,
        output,
        {host: int(changed) for host, _, changed, _, _ in recap},
        {host: int(failed) + int(lost) for host, _, _, lost, failed in recap},
    )


def inventory_of(source: Path, **variables: str) -> dict[str, Any]:
    """What an inventory says, as Ansible reads it."""
    done = subprocess.run(
        [str(program("ansible-inventory")), "-i", str(source), "--list"],
        cwd=ANSIBLE,
        env={**environment(), **variables},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found: dict[str, Any] = json.loads(done.stdout, object_hook=_plain)
    return found


def _plain(value: dict[str, Any]) -> Any:
    """A text that Ansible must not read as a template comes wrapped."""
    return value.get("__ansible_unsafe", value)
