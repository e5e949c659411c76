"""When the list of who may connect no more is made anew."""

from __future__ import annotations

from cloud.db import Database
from cloud.fleet.shut_out import DAILY_MS, ShutOut, ShutOutParts
from tests.lab.cloud_api import SettableClock


class Lists(ShutOut):
    """Counts the lists; a box is shut out while the first one is made."""

    count = 0

    def write(self) -> None:
        self.count += 1
        if self.count == 1:
            self.changed("d-aaaaaaaaaaaaaaaa")


def test_who_is_shut_out_while_the_list_is_made_is_in_the_next_one_at_once() -> None:
    clock = SettableClock()
    parts = ShutOutParts(Database("postgresql:///none"), clock, None, "", "", lambda _: True)
    lists = Lists(parts)
    assert lists._turn() < 1
    lists._turn()
    assert lists.count == 2
    lists._kicks.clear()
    lists._turn()
    clock.at_ms += DAILY_MS - 1
    lists._turn()
    assert lists.count == 2
    clock.at_ms += 1
    lists._turn()
    assert lists.count == 3
    parts.database.close()
