"""Head office's database goes back to an instant, on Debian's own PostgreSQL, by the playbook."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import yaml

from cloud.seal_cipher import CIPHER
from shared.wire.sealed import key_text, writer_key, writer_text
from tests.ansible.lab import CLOUD
from tests.ansible.story import Figures, Story

STASH = "/var/lib/tillbox-cloud/objects/backup"
BOX, STORE = "box2", "18"
BROKEN = "99"
"""A store that is opened by mistake, and gone after the restore."""


def the_database_goes_back_to_an_instant(story: Story) -> Figures:
    """What was before it is there, what came after is gone, and a new backup is made."""
    lab, office = story.lab, story.office
    private = bytes(range(32))
    public = CIPHER.public_of(private)
    key, more = lab.folder / "backup.key", lab.folder / "backed-up.yml"
    key.write_text(key_text(private, public))
    more.write_text(yaml.safe_dump({"tillbox_backed_up": {"hosts": {CLOUD: {}}}}))
    keys = {"backup_recipients": public.hex()}
    keys["backup_writer_keys"] = writer_text(public, writer_key(private))
    before = lab.vars.get(CLOUD, {})
    lab.vars[CLOUD] = {**before, "tillbox_cloud_settings": keys, "tillbox_backup_stash": STASH}
    turned_on = story.play("provision_cloud", "-i", str(more), "--tags", "cloud,backup")
    again = story.play("provision_cloud", "-i", str(more), "--tags", "cloud,backup")
    assert not any(again.changed.values()), again.changed_tasks
    backed_up = story.play("backup_restore", "--limit", CLOUD)

    reaches_ms = office.call("GET", "/v1/backups")["base"]["reaches_ms"]
    office.wait(lambda: time.time_ns() // 1_000_000 > reaches_ms, "the end of the backup")
    instant = datetime.now(UTC).isoformat()
    life = office.run("incarnation", "show")
    office.new_store(BROKEN)
    sold = _sell(story)
    asked = f"tillbox_action=restore tillbox_restore_key={key} tillbox_restore_to={instant}"
    restored = story.play("backup_restore", "--limit", CLOUD, "--extra-vars", asked)

    office.wait(lambda: office.call("GET", "/v1/backups")["base"], "the API")
    if sold:
        office.wait(lambda: story.sales(STORE) == sold, "the sale that the box brings again", 240)
    assert office.query(f"SELECT count(*) FROM store WHERE store_id = '{BROKEN}'") == "0"  # noqa: S608
    assert int(office.query("SELECT count(*) FROM store")) > 0
    assert office.run("incarnation", "show") != life
    assert office.call("GET", "/v1/backups")["base"]["reaches_ms"] > reaches_ms
    assert lab.hosts[CLOUD].inside("sh", "-c", "ls /run/*.key 2>/dev/null | wc -l").strip() == "0"
    return {
        "backups turned on": f"{turned_on.took_s:.0f} s",
        "a backup": f"{backed_up.took_s:.0f} s",
        "back to an instant": f"{restored.took_s:.0f} s",
    }


def _sell(story: Story) -> int:
    """A sale that the restored database lacks; how many the store has then, 0 where none is."""
    if BOX not in story.lab.hosts:
        return 0
    wanted = story.sales(STORE) + 1
    story.sell(BOX)
    story.office.wait(lambda: story.sales(STORE) == wanted, "the sale")
    return wanted
