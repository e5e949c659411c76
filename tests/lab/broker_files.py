"""The broker's files, rendered from the templates that Ansible installs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import yaml

ROLE = Path(__file__).resolve().parents[2] / "ansible" / "roles" / "tillbox_broker"
FILES = {
    "mosquitto.conf.j2": "mosquitto.conf",
    "devices.acl.j2": "devices.acl",
    "internal.acl.j2": "internal.acl",
}


def write_broker_files(folder: Path, variables: dict[str, Any], role: Path = ROLE) -> Path:
    """Write the broker's configuration and rights below `folder`; answers the configuration.

    `variables` go over the role's defaults, named without `tillbox_broker_`.
    """
    known = yaml.safe_load((role / "defaults" / "main.yml").read_text(encoding="utf-8"))
    named = {f"tillbox_broker_{name}": value for name, value in variables.items()}
    unknown = named.keys() - known.keys()
    assert not unknown, f"the role has no variable {unknown}"
    values = {**known, **named, "tillbox_broker_dir": str(folder)}
    # As Ansible renders: a variable that is not there is an error, the last line break stays.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(role / "templates"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        autoescape=False,  # noqa: S701 - configuration, no page
    )
    for template, name in FILES.items():
        text = environment.get_template(template).render(values)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / FILES["mosquitto.conf.j2"]
