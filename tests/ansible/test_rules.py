"""What Ansible itself and its linter say of the playbooks; machines are `make test-ansible`."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import yaml

from tests.ansible.plays import ANSIBLE, environment, program

LINT = Path(__file__).with_name("lint.py")
ROLES = {path.name for path in (ANSIBLE / "roles").iterdir()}
OPTIONAL = ("has_screen", "has_sensors", "is_readonly")
GROUPS = ("tillbox_monitoring", "tillbox_backed_up")
_VALIDATED = re.compile(r"^TASK \[(\w+) : Validating arguments", re.MULTILINE)


def said_by(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program(name), *arguments],
        cwd=ANSIBLE,
        env={**environment(), "ANSIBLE_GATHERING": "explicit"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )


def arguments_taken(
    folder: Path, *books: str | Path, **given: object
) -> subprocess.CompletedProcess[str]:
    """Play nothing but the roles' looks at what they are given, for the example inventory."""
    more = {group: {"hosts": {"hq": {}}} for group in GROUPS}
    groups = folder / "groups.yml"
    groups.write_text(yaml.safe_dump({"all": {"children": more}}), encoding="utf-8")
    local = {"ansible_connection": "local", "ansible_become": False}
    secrets = {"tillbox_broker_internal_password": "x", "tillbox_sensors_box_password": "x"}
    every = {f"tillbox_store_{name}": True for name in OPTIONAL}
    return said_by(
        *("ansible-playbook", "--inventory=inventory/example/hosts.yml", f"--inventory={groups}"),
        f"--extra-vars={json.dumps({**local, **secrets, **every, **given})}",
        *("--tags=nothing", *books),
    )


def test_the_linter_has_no_complaint_of_its_production_profile() -> None:
    said = said_by("python", LINT)
    assert said.returncode == 0, said.stdout


def test_every_role_takes_what_the_example_inventory_gives_it(tmp_path) -> None:
    # Other roles call this one; its arguments are looked at when it stands alone.
    given = {"tillbox_release_extra": "edge", "tillbox_release_owner": "tillbox"}
    alone = tmp_path / "release.yml"
    alone.write_text(
        yaml.safe_dump([{"hosts": "tillbox_boxes", "roles": ["tillbox_release"], "vars": given}]),
        encoding="utf-8",
    )
    said = arguments_taken(tmp_path, "playbooks/site.yml", "playbooks/update_edge.yml", alone)
    assert said.returncode == 0, said.stdout
    assert set(_VALIDATED.findall(said.stdout)) == ROLES


def test_a_port_that_is_a_word_ends_the_play_before_it_does_anything(tmp_path) -> None:
    wrong = {"tillbox_box_https_port": "https"}
    said = arguments_taken(tmp_path, "playbooks/provision_store.yml", **wrong)
    assert said.returncode != 0
    assert "tillbox_box_https_port" in said.stdout
    assert "tillbox_check" not in _VALIDATED.findall(said.stdout)
