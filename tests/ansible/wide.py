"""What is done more seldom, after the story: `make test-ansible ARGS=all`."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, update_wrapper
from pathlib import Path

from tests.ansible.lab import CLOUD, SECOND
from tests.ansible.restore import the_database_goes_back_to_an_instant
from tests.ansible.story import Figures, Story
from tests.lab.python_env import ROOT

_UNIT = "tillbox-cloud-api"
_ASK = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read())"
_KNOCK = """
import sys
from paho.mqtt.client import CallbackAPIVersion, Client
client = Client(CallbackAPIVersion.VERSION2, "knock")
client.username_pw_set(*sys.argv[1:])
client.on_connect = lambda c, u, f, code, p: (print(code), c.disconnect())
client.connect("127.0.0.1", 1883)
client.loop_forever(retry_first_connection=False)
"""
_WELCOME, _REFUSED = "Success", "Not authorized"
_PARTITION_BYTES = 1 << 30
_PARTITIONS = ("rootfs", "bootfs", "tillbox")
Step = Callable[[], Figures | None]


def wide_steps(story: Story) -> list[Step]:
    """All of them, in their order."""
    steps = (
        all_log_ins_are_new,
        the_database_goes_back_to_an_instant,
        a_second_api_joins,
        an_api_that_dies_is_not_missed,
        a_box_cannot_write_to_its_root,
    )
    return [_bound(step, story) for step in steps]


def _bound(step: Callable[[Story], Figures | None], story: Story) -> Step:
    return update_wrapper(partial(step, story), step)


def all_log_ins_are_new(story: Story) -> Figures:
    """The old password opens nothing any more; boxes and workers go on."""
    lab, new = story.lab, secrets.token_urlsafe(24)
    old = lab.common("tillbox_broker_internal_password")
    assert _broker_says(story, old) == _WELCOME
    lab.set(tillbox_broker_internal_password=new)
    played = story.play("rotate_credentials")
    assert (_broker_says(story, old), _broker_says(story, new)) == (_REFUSED, _WELCOME)
    wanted = story.sales("18") + 1
    story.sell("box2")
    story.office.wait(partial(_has_sold, story, wanted), "the sale")
    return {"rotate_credentials": f"{played.took_s:.0f} s"}


def _broker_says(story: Story, password: str) -> str:
    """What the broker's inner door answers to the workers' name with a password."""
    space = story.lab.network.space(CLOUD)
    done = subprocess.run(
        ["ip", "netns", "exec", space, sys.executable, "-c", _KNOCK, "ingest", password],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def a_box_cannot_write_to_its_root(story: Story) -> Figures:
    """What it has done so far comes along to the data partition; it starts and sells from there."""
    lab, host = story.lab, story.lab.hosts["box2"]
    before = story.health("box2")
    host.stop()
    with partitions(lab.folder / "partitions") as options:
        host.boot(*options)
        lab.vars["box2"]["tillbox_store_is_readonly"] = True
        lab.vars["box2"]["tillbox_readonly_files"] = str(_box_files(lab.folder / "box"))
        played = story.play("provision_store", "--limit", "box2")
        host.stop()
        host.boot(*options, "--read-only")
        assert "Read-only file system" in host.inside("sh", "-c", "touch /etc/x 2>&1 || true")
        wanted = story.sales("18") + 1
        after = story.sell("box2")
        assert after["dev"] == before["dev"]
        assert after["head_seq"] > before["head_seq"], "the same journal goes on"
        story.office.wait(partial(_has_sold, story, wanted), "the sale")
        host.stop()
        host.boot(*options)
        again = story.play("provision_store", "--limit", "box2")
        assert not any(again.changed.values()), again.changed_tasks
        host.stop()
    return {"provision_store": f"{played.took_s:.0f} s", "again": f"{again.took_s:.0f} s"}


def _box_files(folder: Path) -> Path:
    """The box's own, but for its first partition: not every test machine's kernel knows vfat."""
    shutil.copytree(ROOT / "firmware-config/box/root", folder, dirs_exist_ok=True)
    table = folder / "etc/fstab"
    lines = table.read_text().splitlines()
    for number, line in enumerate(lines):
        if line.startswith("LABEL=bootfs"):
            lines[number] = "LABEL=bootfs /boot/firmware ext4 ro,nodev,nosuid,noexec 0 2"
    table.write_text("\n".join([*lines, ""]))
    return folder


@contextmanager
def partitions(folder: Path) -> Iterator[list[str]]:
    """The three that a box's card has, as options of a container.

    A container's systemd mounts no devices, so this machine mounts the data partition for it.
    """
    data = folder / "data"
    data.mkdir(parents=True)
    made: list[str] = []
    try:
        for label in _PARTITIONS:
            image = folder / label
            with image.open("wb") as file:
                file.truncate(_PARTITION_BYTES)
            run("mkfs.ext4", "-q", "-L", label, str(image))
            made.append(run("losetup", "--find", "--show", str(image)).strip())
        run("mount", "-o", "noatime", made[-1], str(data))
        yield [*(f"--bind={device}" for device in made), f"--bind={data}:/data"]
    finally:
        subprocess.run(["umount", "--lazy", str(data)], check=False, capture_output=True)
        for device in made:
            subprocess.run(["losetup", "--detach", device], check=False, capture_output=True)


def run(*command: str) -> str:
    """Run a program of this machine; what it printed."""
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def a_second_api_joins(story: Story) -> Figures:
    """On a machine of its own: the first one's keys and database, nginx asks both."""
    lab = story.lab
    addresses = [lab.network.address(name) for name in (CLOUD, SECOND)]
    password = secrets.token_urlsafe(24)
    lab.set(tillbox_cloud_peers=addresses)
    lab.vars[CLOUD] = {
        **lab.vars.get(CLOUD, {}),
        "tillbox_postgres_clients": [addresses[1]],
        "tillbox_postgres_password": password,
        "tillbox_front_backends": ["127.0.0.1:8080", f"{addresses[1]}:8080"],
    }
    lab.vars[SECOND] = {
        "tillbox_cloud_parts": ["api"],
        "tillbox_cloud_settings": {"host": "0.0.0.0"},
        "tillbox_cloud_broker_host": addresses[0],
        "tillbox_cloud_broker_crl_file": "",
        "tillbox_cloud_database_url": f"postgresql://tillbox-cloud:{password}@{addresses[0]}"
        "/tillbox?sslmode=require",
    }
    lab.hosts[SECOND].boot()
    played = story.play("provision_cloud")
    again = story.play("provision_cloud")
    assert not any(again.changed.values()), again.changed_tasks
    keys = "cat /var/lib/tillbox-cloud/hq.key /var/lib/tillbox-cloud/ca/*.key"
    first, second = (lab.hosts[name].inside("sh", "-c", keys) for name in (CLOUD, SECOND))
    assert first == second, "two machines of one office must have the same keys"
    return {"provision_cloud": f"{played.took_s:.0f} s", "again": f"{again.took_s:.0f} s"}


def an_api_that_dies_is_not_missed(story: Story) -> Figures:
    """Each of the two in turn: programs are answered, and boxes' sales are booked."""
    for name in (CLOUD, SECOND):
        host = story.lab.hosts[name]
        host.inside("systemctl", "stop", _UNIT)
        for _ in range(6):
            assert story.checklist("17")["is_done"]
        wanted = story.sales("18") + 1
        story.sell("box2")
        story.office.wait(partial(_has_sold, story, wanted), "the sale")
        host.inside("systemctl", "start", _UNIT)
        address = "127.0.0.1" if name == CLOUD else story.lab.hosts[name].address
        asked = ("python3", "-c", _ASK, f"http://{address}:8080/healthz")
        office = story.lab.hosts[CLOUD]
        story.office.wait(partial(office.inside, *asked, is_checked=False), "the API")
    return {}


def _has_sold(story: Story, wanted: int) -> bool:
    return story.sales("18") == wanted
