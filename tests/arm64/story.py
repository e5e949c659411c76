"""What is shown of a store box with an ARM processor, step by step."""

from __future__ import annotations

from collections.abc import Callable

from tests.ansible.lab import CLOUD
from tests.ansible.office import PIN
from tests.ansible.story import Figures, Story, _figure
from tests.ansible.till import OPERATOR
from tests.arm64.lab import BOX, ArmLab

STORE = "17"
# The emulator knows no netfilter, so the firewall is shown by `make test-ansible` alone.
NOT_EMULATED = "--skip-tags=firewall"
_LOAD_ALL = """
import importlib, pkgutil, platform
import edge, evdev, shared
rooms = (pkgutil.walk_packages(room.__path__, f"{room.__name__}.") for room in (edge, shared))
names = [each.name for room in rooms for each in room if not each.name.endswith("__main__")]
for name in names:
    importlib.import_module(name)
print(f"{platform.machine()} {platform.python_version()}: {len(names)} modules, {evdev.__name__}")
"""


class ArmStory(Story):
    """From bare Debian for ARM to the first sale, with what the box installs looked at closely."""

    def __init__(self, lab: ArmLab) -> None:
        super().__init__(lab)
        self._lab = lab

    def steps(self) -> list[Callable[[], Figures | None]]:
        """All steps, in their order."""
        return [
            self.what_it_installs_is_made_elsewhere,
            self.bare_machines_boot,
            self.one_becomes_head_office,
            self.a_store_is_opened,
            self.the_bare_arm_machine_becomes_a_store_box,
            self.every_module_of_it_loads,
            self.it_makes_its_first_sale,
            self.its_journal_is_whole,
            self.nothing_changes_when_it_is_done_again,
        ]

    def what_it_installs_is_made_elsewhere(self) -> Figures:
        """Wheels for ARM by the hashes of the lock file, signed."""
        names = [path.name for path in self._lab.bring_wheels().glob("*.whl")]
        compiled = [name for name in names if "aarch64" in name]
        assert not any("x86_64" in name for name in names), names
        assert any(name.startswith("evdev-") for name in compiled), names
        return {"wheels": f"{len(names)}, {len(compiled)} of them for aarch64 alone"}

    def bare_machines_boot(self) -> Figures:
        """Head office's and the box's, whose systemd is emulated too."""
        hosts = [self.lab.hosts[name] for name in (CLOUD, BOX)]
        return {host.name: f"{host.boot():.1f} s to SSH" for host in hosts}

    def one_becomes_head_office(self) -> Figures:
        """On this machine's own processor."""
        return {"provision_cloud": _figure(self.play("provision_cloud"))}

    def a_store_is_opened(self) -> None:
        """With something to sell and somebody who sells."""
        claim = self.office.new_store(STORE)
        self.lab.vars[BOX]["tillbox_box_claim"] = claim
        manager = {"name": "王芳", "role": "manager", "pin": PIN, "must_change": False}
        self.office.call("PUT", f"/v1/staff/{OPERATOR}", json={**manager, "store_ids": [STORE]})
        self.office.stock()
        self.office.publish()

    def the_bare_arm_machine_becomes_a_store_box(self) -> Figures:
        """Over SSH; it has no way to a package index and no compiler."""
        played = self.play("provision_store", "--limit", BOX, NOT_EMULATED)
        found = self.at_box("sh", "-c", "command -v gcc cc || echo none")
        assert found.strip() == "none", found
        return {"provision_store": _figure(played), "not emulated": "the firewall"}

    def every_module_of_it_loads(self) -> Figures:
        """Also those that a box without the device never asks for."""
        said = self.at_box("/opt/tillbox/current/bin/python", "-c", _LOAD_ALL).strip()
        assert said.startswith("aarch64 3.11."), said
        return {"loaded": said}

    def it_makes_its_first_sale(self) -> Figures:
        """A person signs in, scans, takes cash; head office has it."""
        self.sell(BOX)
        took_s = self.office.wait(lambda: self.sales(STORE) == 1, "the sale", 600)
        return {"sale at head office after": f"{took_s:.1f} s"}

    def its_journal_is_whole(self) -> Figures:
        """Every entry's hash and signature, checked on the box itself."""
        journal = "/var/lib/tillbox/journal.db"
        said = self.at_box("/opt/tillbox/current/bin/tillbox-edge", "verify-journal", journal)
        return {"verify-journal": said.strip().splitlines()[-1]}

    def nothing_changes_when_it_is_done_again(self) -> Figures:
        """Not one task."""
        played = self.play("provision_store", "--limit", BOX, NOT_EMULATED)
        assert not any(played.changed.values()), played.changed_tasks
        return {"provision_store again": f"{played.took_s:.0f} s, changed=0"}

    def at_box(self, *command: str) -> str:
        """Run something on the box; what it printed."""
        return self.lab.hosts[BOX].inside(*command)
