"""House rules of the playbooks, read as what they are: YAML.

Ansible's own word is test_rules.py, the machines themselves are `make test-ansible`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from edge.https.service import OWN_SCREEN
from tests.lab.python_env import ROOT

ANSIBLE = ROOT / "ansible"
ROLES = sorted(path for path in (ANSIBLE / "roles").iterdir() if path.is_dir())
TASKS = sorted([*ANSIBLE.glob("roles/*/tasks/*.yml"), *ANSIBLE.glob("roles/*/handlers/*.yml")])
PLAYBOOKS = sorted(ANSIBLE.glob("playbooks/*.yml"))
LINES_MAX = 80
VERBS = {
    *("provision_store", "update_edge", "rotate_credentials", "replace_box", "backup_restore"),
    *("provision_cloud", "drift", "site"),
}
KEYWORDS = {
    *("name", "when", "register", "notify", "loop", "loop_control", "vars", "tags", "become"),
    *("changed_when", "failed_when", "check_mode", "no_log", "until", "retries", "delay"),
    *("environment", "delegate_to", "run_once", "block", "always", "rescue", "listen"),
    *("diff", "ignore_unreachable"),
}
SECRET_WORDS = ("password", "token", "claim", "secret")


def tasks_of(content: Any) -> Iterator[dict[str, Any]]:
    for task in content or []:
        yield task
        for part in ("block", "always", "rescue"):
            yield from tasks_of(task.get(part))


def all_tasks() -> list[tuple[str, dict[str, Any]]]:
    found = [(path, yaml.safe_load(path.read_text())) for path in TASKS]
    for path in PLAYBOOKS:
        plays = yaml.safe_load(path.read_text())
        parts = ("pre_tasks", "tasks", "post_tasks")
        found += [(path, play.get(part, [])) for play in plays for part in parts]
    return [
        (f"{path.relative_to(ANSIBLE)}: {task.get('name')}", task)
        for path, content in found
        for task in tasks_of(content)
    ]


def test_playbooks_are_verbs() -> None:
    assert {path.stem for path in PLAYBOOKS} == VERBS


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_tells_every_variable_that_it_has(role: Path) -> None:
    told = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]
    defaults = yaml.safe_load((role / "defaults/main.yml").read_text())
    assert defaults.keys() <= told["options"].keys()
    assert all(name.startswith(f"{role.name}_") for name in told["options"])
    required = {name for name, option in told["options"].items() if option.get("required")}
    # A default, be it empty, is an answer: Ansible would never ask for the argument.
    assert told["options"].keys() - defaults.keys() == required
    assert all(option["description"] for option in told["options"].values())


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_secret_is_marked_as_one_and_has_no_default(role: Path) -> None:
    told = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]
    defaults = yaml.safe_load((role / "defaults/main.yml").read_text())
    for name, option in told["options"].items():
        is_secret = name.endswith(SECRET_WORDS)
        assert not is_secret or option.get("no_log"), name
        assert not is_secret or str(defaults.get(name, "")).startswith(("", "{{")), name


def test_every_task_says_what_it_does_and_names_its_module_in_full() -> None:
    wrong = [
        where
        for where, task in all_tasks()
        if not task.get("name")
        or not all(key.startswith("ansible.builtin.") for key in task.keys() - KEYWORDS)
    ]
    assert wrong == []


def test_files_are_written_with_a_mode() -> None:
    modules = {f"ansible.builtin.{name}" for name in ("copy", "template")}
    wrong = [
        where
        for where, task in all_tasks()
        for module in modules & task.keys()
        if "mode" not in task[module]
    ]
    assert wrong == []


def test_commands_say_whether_they_changed_something() -> None:
    commands = {f"ansible.builtin.{name}" for name in ("command", "shell", "script")}
    wrong = [
        where
        for where, task in all_tasks()
        for module in commands & task.keys()
        if "changed_when" not in task
        and not (isinstance(task[module], dict) and "creates" in task[module])
    ]
    assert wrong == []


def test_what_carries_a_secret_is_never_shown() -> None:
    words = ("_password }}", "_claim }}", "server.key")
    wrong = [
        where
        for where, task in all_tasks()
        if any(word in json.dumps(task) for word in words)
        and "block" not in task
        and not task.get("no_log")
        and not task.keys() & {"ansible.builtin.assert", "ansible.builtin.import_tasks"}
    ]
    assert wrong == []


def test_files_are_short() -> None:
    files = [*ANSIBLE.glob("roles/*/*/*.yml"), *PLAYBOOKS]
    lengths = {str(path.relative_to(ANSIBLE)): len(path.read_text().splitlines()) for path in files}
    assert {name: lines for name, lines in lengths.items() if lines > LINES_MAX} == {}


def test_the_boxs_own_screen_opens_an_address_that_its_certificate_names() -> None:
    defaults = ANSIBLE / "roles/tillbox_kiosk/defaults/main.yml"
    url = yaml.safe_load(defaults.read_text(encoding="utf-8"))["tillbox_kiosk_url"]
    assert urlsplit(url).hostname == OWN_SCREEN


def test_dashboards_and_alerts_name_metrics_that_there_are() -> None:
    files = ANSIBLE / "roles/tillbox_monitoring/files"
    alerts = yaml.safe_load((files / "tillbox.rules.yml").read_text())["groups"][0]["rules"]
    boards = [json.loads(path.read_text()) for path in (files / "dashboards").glob("*.json")]
    asked = [rule["expr"] for rule in alerts]
    asked += [
        target["expr"]
        for board in boards
        for panel in board["panels"]
        for target in panel["targets"]
    ]
    sources = "".join(
        path.read_text() for room in ("cloud", "edge") for path in (ROOT / room).rglob("*.py")
    )
    for expression in asked:
        for name in _metrics(expression):
            bare = name.removesuffix("_total").removesuffix("_bucket")
            pieces = (name, bare, bare.removeprefix("tillbox_backup_"))
            assert any(f'"{piece}"' in sources for piece in pieces), name


def _metrics(expression: str) -> list[str]:
    words = "".join(c if c.isalnum() or c == "_" else " " for c in expression).split()
    return [word for word in words if word.startswith("tillbox_")]
