"""Ansible's view of the chain: every store's box, as head office knows it."""

from __future__ import annotations

import json
import os
import ssl
import urllib.error
import urllib.request
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader

from ansible.plugins.inventory import BaseInventoryPlugin, Constructable

DOCUMENTATION = r"""
name: tillbox_fleet
short_description: Store boxes from Tillbox's fleet API
description:
  - One host for each store that has an address, C(store-ID), in the group C(tillbox_boxes).
  - Store groups become groups C(tillbox_group_ID), time zones C(tillbox_zone_NAME).
  - Stores whose box is not enrolled are also in C(tillbox_new).
extends_documentation_fragment: [constructed]
options:
  plugin:
    description: Always C(tillbox_fleet).
    required: true
    choices: [tillbox_fleet]
  url:
    description: Address of head office, with https.
    required: true
    type: str
    env: [{name: TILLBOX_URL}]
  token:
    description: What C(tillbox-cloud user token NAME --role ROLE) printed; needs fleet.read.
    required: true
    type: str
    env: [{name: TILLBOX_TOKEN}]
  ca_file:
    description: The chain's own CA, where HTTPS comes from it; relative to the inventory's file.
    type: str
    default: ""
"""

_TIMEOUT_S = 30
_BOXES, _NEW = "tillbox_boxes", "tillbox_new"


class InventoryModule(BaseInventoryPlugin, Constructable):
    """See DOCUMENTATION."""

    NAME = "tillbox_fleet"

    def verify_file(self, path: str) -> bool:
        """Whether a file is an inventory of this kind: its name says so."""
        return super().verify_file(path) and path.endswith(("tillbox.yml", "tillbox.yaml"))

    def parse(
        self,
        inventory: InventoryData,
        loader: DataLoader,
        path: str,
        cache: bool = True,  # noqa: FBT001, FBT002 - as Ansible calls it
    ) -> None:
        """Read all boxes; AnsibleParserError with what to do when that is not possible."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        rows = self._fetch(path)
        self.inventory.add_group(_BOXES)
        self.inventory.add_group(_NEW)
        for row in rows:
            if row["address"]:
                self._add(row)

    def _fetch(self, path: str) -> list[dict[str, Any]]:
        url = str(self.get_option("url")).rstrip("/")
        if not url.startswith("https://"):
            raise AnsibleParserError(f"tillbox_fleet: {url} is no https address")
        ca_file = self.get_option("ca_file")
        place = os.path.join(os.path.dirname(path), ca_file) if ca_file else None  # noqa: PTH118, PTH120
        headers = {"Authorization": f"Bearer {self.get_option('token')}"}
        request = urllib.request.Request(f"{url}/v1/fleet/inventory", headers=headers)  # noqa: S310 - https, above
        try:
            trust = ssl.create_default_context(cafile=place)
            with urllib.request.urlopen(  # noqa: S310 - https, above
                request, timeout=_TIMEOUT_S, context=trust
            ) as answer:
                found = json.load(answer)["hosts"]
        except urllib.error.HTTPError as error:
            why = "is the token still good?" if error.code in {401, 403} else str(error)
            message = f"tillbox_fleet: {url} answered {error.code}: {why}"
            raise AnsibleParserError(message) from error
        except (OSError, ValueError, KeyError) as error:
            raise AnsibleParserError(f"tillbox_fleet: {url} cannot be read: {error}") from error
        rows: list[dict[str, Any]] = found
        return rows

    def _add(self, row: dict[str, Any]) -> None:
        host = row["host"]
        self.inventory.add_host(host, group=_BOXES)
        if not row["dev"]:
            self.inventory.add_host(host, group=_NEW)
        for group in row["groups"]:
            self._join(f"tillbox_group_{group}", host)
        self._join(f"tillbox_zone_{row['time_zone']}", host)
        values = {"ansible_host": row["address"]} | {
            f"tillbox_{name}": row[name] for name in ("store_id", "name", "dev", "sw", "online")
        }
        for name, value in values.items():
            self.inventory.set_variable(host, name, value)
        known = self.inventory.get_host(host).get_vars()
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), known, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), known, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), known, host, strict=strict)

    def _join(self, group: str, host: str) -> None:
        name = self.inventory.add_group(self._sanitize_group_name(group))
        self.inventory.add_host(host, group=name)
