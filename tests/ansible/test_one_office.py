"""Head office's keys are never made anew, nor written over, because an inventory was reordered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.ansible.plays import ANSIBLE
from tests.ansible.test_rules import said_by

TASKS = ANSIBLE / "roles/tillbox_cloud/tasks/one_office.yml"
TRUE, MISTAKE = "what boxes believe", "made by mistake"
REFUSED = ("would make others", "has others")


@pytest.mark.parametrize(
    ("old", "new", "first", "refused"),
    [
        (TRUE, "", "old", ""),
        (TRUE, "", "new", "would make others"),
        (TRUE, MISTAKE, "new", "has others"),
    ],
)
def test_of_two_machines_the_one_that_has_keys_gives_them(
    tmp_path: Path, old: str, new: str, first: str, refused: str
) -> None:
    hosts = {}
    for name, key in (("old", old), ("new", new)):
        hosts[name] = {"tillbox_cloud_data": str(tmp_path / name)}
        (tmp_path / name).mkdir()
        if key:
            (tmp_path / name / "hq.key").write_text(key)
    inventory, book = tmp_path / "hosts.yml", tmp_path / "book.yml"
    inventory.write_text(yaml.safe_dump({"tillbox_cloud_api": {"hosts": hosts}}))
    tasks = [{"import_tasks": str(TASKS)}]
    # One after the other, the first one first, as the playbook does it.
    order = "inventory" if first == "old" else "reverse_inventory"
    play = {"hosts": "all", "gather_facts": False, "serial": 1, "order": order, "tasks": tasks}
    book.write_text(yaml.safe_dump([play]))
    given = {"ansible_connection": "local", "ansible_become": False, "tillbox_cloud_first": first}
    given["tillbox_cloud_is_first"] = "{{ inventory_hostname == tillbox_cloud_first }}"
    more = f"--extra-vars={json.dumps(given)}"
    said = said_by("ansible-playbook", f"--inventory={inventory}", more, book)
    assert (said.returncode != 0) is bool(refused), said.stdout
    assert [words for words in REFUSED if words in said.stdout] == ([refused] if refused else [])
