"""What the lab shows, step by step, as IT lives through it; a step raises AssertionError."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.ansible.lab import CLOUD, Lab
from tests.ansible.office import ITEM, PIN, PRICE_MINOR, Office
from tests.ansible.plays import Played, inventory_of
from tests.ansible.till import OPERATOR
from tests.fakes.releases import a_wheel
from tests.lab import wheelhouse
from tests.lab.python_env import ROOT

STORES = {"box1": "17", "box2": "18"}
NEW_BOX = "box3"
TILL_PORT = 8443
DATA = "/var/lib/tillbox"
DRIFTED = "etc/systemd/journald.conf.d/60-tillbox.conf"
BROKEN = "99.0.0"
# It replays the last day as the release before does, and then does not start.
_BROKEN_BODY = (
    "import os, sys; old = '/opt/tillbox/releases/{old}/bin/tillbox-edge'; "
    "sys.argv[1] == 'run' and sys.exit(3); os.execv(old, [old, *sys.argv[1:]])"
)
Figures = dict[str, str]


class Story:
    """The lab with what has happened in it so far."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.office = Office(lab)
        self.claims: dict[str, str] = {}

    def steps(self) -> list[Callable[[], Figures | None]]:
        """All steps, in their order."""
        return [
            self.bare_machines_boot,
            self.they_become_head_office,
            self.stores_are_opened,
            self.an_inventory_lists_them,
            self.bare_machines_become_store_boxes,
            self.each_box_makes_its_first_sale,
            self.nothing_changes_when_all_is_done_again,
            self.a_file_that_somebody_changed_is_reported_and_mended,
            self.a_cut_line_stops_no_till,
            self.a_release_that_does_not_start_is_taken_back,
            self.a_dead_box_is_replaced_and_its_tail_saved,
        ]

    def bare_machines_boot(self) -> Figures:
        """Those of the first two stores and of head office."""
        hosts = [self.lab.hosts[name] for name in (CLOUD, *STORES)]
        return {host.name: f"{host.boot():.1f} s to SSH" for host in hosts}

    def they_become_head_office(self) -> Figures:
        """Database, broker, API, worker, TLS."""
        played = self.play("provision_cloud")
        return {"provision_cloud": _figure(played)}

    def stores_are_opened(self) -> Figures | None:
        """By the wizard; then there is something to sell and somebody who sells."""
        self.claims = {store: self.office.new_store(store) for store in STORES.values()}
        manager = {"name": "王芳", "role": "manager", "pin": PIN, "must_change": False}
        body = {**manager, "store_ids": list(STORES.values())}
        self.office.call("PUT", f"/v1/staff/{OPERATOR}", json=body)
        self.office.stock()
        self.office.publish()
        return None

    def an_inventory_lists_them(self) -> None:
        """Asked by a program that may do nothing but look."""
        file = self.lab.folder / "tillbox.yml"
        said = {"plugin": "tillbox_fleet", "url": self.office.url, "ca_file": "chain-ca.pem"}
        file.write_text(json.dumps(said))
        found = inventory_of(file, TILLBOX_TOKEN=self.office.token("inventory", "it"))
        assert set(found["tillbox_new"]["hosts"]) == {f"store-{each}" for each in STORES.values()}
        facts = found["_meta"]["hostvars"]["store-17"]
        assert (facts["ansible_host"], facts["tillbox_store_id"]) == ("10.98.255.17", "17")
        refused = inventory_of(file, TILLBOX_TOKEN="wrong")
        assert refused["_meta"]["hostvars"] == {}

    def bare_machines_become_store_boxes(self) -> Figures:
        """Both at once; they enrol, and speak to the broker with their certificates."""
        for box, store in STORES.items():
            self.lab.vars[box] = {"tillbox_box_claim": self.claims[store]}
        self.lab.vars["box1"]["tillbox_box_settings"] = self.lab.printer_settings()
        self.lab.vars["box2"] |= {
            "tillbox_store_has_sensors": True,
            "tillbox_sensors_box_password": PIN,
            "tillbox_box_settings": {"shelf": {"kind": "mqtt", "password_file": "sensors.passwd"}},
        }
        played = self.play("provision_store", "--limit", ",".join(STORES))
        self.has_sold_in_training(*STORES.values())
        return {"provision_store, two boxes": _figure(played)}

    def has_sold_in_training(self, *stores: str) -> None:
        """Each in its journal, on the paper of the one that has a printer, and in no books."""
        receipt, page = (each.paper.text for each in self.lab.printer.papers(0)[-2:])
        assert "TRAINING" in receipt or "训练" in receipt, receipt
        assert "Tea" in receipt, receipt
        assert "TEST" in page or "测试" in page, page
        for store in stores:
            told = (
                f"SELECT count(*) FROM entry WHERE store_id = '{store}' AND type = 'training.sold'"  # noqa: S608
            )
            self.office.wait(lambda sql=told: self.office.query(sql) == "1", "the training sale")
            assert self.sales(store) == 0

    def each_box_makes_its_first_sale(self) -> Figures:
        """A person signs in, scans, takes cash; head office has it, and the list is done."""
        figures = {}
        for box, store in STORES.items():
            self.sell(box)
            took_s = self.office.wait(lambda at=store: self.sales(at) == 1, "the sale")
            assert self.checklist(store)["is_done"], self.checklist(store)
            figures[f"{box}: sale at head office after"] = f"{took_s:.1f} s"
        return figures

    def nothing_changes_when_all_is_done_again(self) -> Figures:
        """Neither in earnest nor in check mode."""
        figures = {}
        for mode in ((), ("--check",)):
            played = self.play("site", "--limit", f"{CLOUD},{','.join(STORES)}", *mode)
            assert not any(played.changed.values()), played.changed_tasks
            figures[" ".join(("cloud and both boxes again", *mode))] = f"{played.took_s:.0f} s"
        return figures

    def a_file_that_somebody_changed_is_reported_and_mended(self) -> Figures:
        """`drift` says which one and leaves it; `provision_store` mends it."""
        host = self.lab.hosts["box1"]
        host.inside("sh", "-c", f"echo SystemMaxUse=9G >> /{DRIFTED}")
        seen = self.lab.play("drift", "--limit", "box1")
        assert seen.code != 0, "drift was not reported"
        assert "Limit the system's log" in seen.output
        assert "9G" in host.inside("cat", f"/{DRIFTED}"), "drift must only look"
        mended = self.play("provision_store", "--limit", "box1")
        assert mended.changed["box1"] > 0
        assert "9G" not in host.inside("cat", f"/{DRIFTED}")
        clean = self.play("drift", "--limit", "box1")
        return {"drift": f"{seen.took_s:.0f} s", "drift, clean": f"{clean.took_s:.0f} s"}

    def a_cut_line_stops_no_till(self) -> Figures:
        """The box sells on, and brings it when the line is back."""
        before = self.sales("17")
        self.lab.network.cut("box1", is_cut=True)
        health = self.sell("box1")
        assert self.sales("17") == before
        self.lab.network.cut("box1", is_cut=False)
        took_s = self.office.wait(lambda: self.sales("17") == before + 1, "the held sale", 240)
        return {"unsynced while cut": str(health["unsynced"]), "there after": f"{took_s:.1f} s"}

    def a_release_that_does_not_start_is_taken_back(self) -> Figures:
        """It passes every check and then dies; the box goes back and head office stops it."""
        box = self.lab.hosts["box2"]
        current = Path(box.inside("readlink", "/opt/tillbox/current").strip()).name
        self.close_day("box2")
        folder = self.lab.folder / "broken" / "edge"
        a_wheel(folder, BROKEN, _BROKEN_BODY.format(old=current))
        wheelhouse.seal(folder, self.lab.key)
        played = self.lab.play(
            "update_edge",
            *("--extra-vars", f"tillbox_update_folder={folder}"),
            *("--extra-vars", "tillbox_update_waves=100% tillbox_update_hours=''"),
            *("--extra-vars", "tillbox_update_soak_h=0"),
        )
        assert played.code != 0, "a broken release must fail the play"
        assert Path(box.inside("readlink", "/opt/tillbox/current").strip()).name == current
        note = json.loads(box.inside("cat", "/opt/tillbox/launcher.json"))
        assert note["failed"] == BROKEN, note
        assert self.health("box2")["sw"] != BROKEN
        return {"published to taken back": f"{played.took_s:.0f} s", "because": note["because"]}

    def a_dead_box_is_replaced_and_its_tail_saved(self) -> Figures:
        """It sold offline and died; the new one sells, and the old card's sale comes up."""
        before = self.sales("17")
        self.lab.network.cut("box1", is_cut=True)
        self.sell("box1")
        dead = self.lab.hosts["box1"]
        dead.stop()
        new = self.lab.hosts[NEW_BOX]
        new.boot()
        card = self.lab.folder / "card"
        shutil.copytree(dead.root / DATA.lstrip("/"), card, ignore=_all_but_files)
        claim = self.office.run("claim", "17").split()[0]
        self.lab.vars[NEW_BOX] = {
            "tillbox_box_claim": claim,
            "tillbox_replace_card": str(card),
            "tillbox_box_settings": self.lab.printer_settings(),
        }
        played = self.play("replace_box", "--limit", NEW_BOX)
        self.sell(NEW_BOX)
        self.office.wait(lambda: self.sales("17") == before + 2, "the old card's sale", 240)
        return {"replace_box to first sale": _figure(played)}

    # What the steps are made of.

    def play(self, name: str, *arguments: str) -> Played:
        """Run a playbook that has to succeed."""
        played = self.lab.play(name, *arguments)
        assert played.code == 0, f"{name}: see {self.lab.log}\n{played.output[-1500:]}"
        return played

    def at_till(self, box: str, *command: str) -> dict[str, Any]:
        """Do something at the till of a box; its health afterwards."""
        space = self.lab.network.space(box)
        program = [sys.executable, "-m", "tests.ansible.till", str(TILL_PORT), *command]
        done = subprocess.run(
            ["ip", "netns", "exec", space, *program],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == 0, f"{box}: {done.stderr[-1500:]}"
        health: dict[str, Any] = json.loads(done.stdout)
        return health

    def sell(self, box: str) -> dict[str, Any]:
        """One sale at a box's till."""
        return self.at_till(box, "sell", PIN, ITEM, str(PRICE_MINOR))

    def close_day(self, box: str) -> None:
        """Close the business day at a box."""
        self.at_till(box, "close", PIN)

    def health(self, box: str) -> dict[str, Any]:
        """What a box says of itself."""
        return self.at_till(box, "health")

    def sales(self, store: str) -> int:
        """How many sales of a store head office has booked."""
        return int(self.office.query(f"SELECT count(*) FROM sale WHERE store_id = '{store}'"))  # noqa: S608

    def checklist(self, store: str) -> dict[str, Any]:
        """The wizard's list for a store."""
        found: dict[str, Any] = self.office.call("GET", f"/v1/stores/{store}/checklist")
        return found


def _figure(played: Played) -> str:
    changed = ", ".join(f"{host} changed={count}" for host, count in played.changed.items())
    return f"{played.took_s:.0f} s, {changed}"


def _all_but_files(folder: str, names: list[str]) -> list[str]:
    """Journal, keys and settings; no sockets."""
    return [name for name in names if not (Path(folder) / name).is_file()]
