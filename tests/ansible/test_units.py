"""What the roles make of their templates, read by the programs that will read it there."""

from __future__ import annotations

import os.path
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from tests.ansible.plays import ANSIBLE

TEMPLATES = sorted(
    path for kind in ("service", "path") for path in ANSIBLE.glob(f"roles/*/templates/*.{kind}.j2")
)
PROGRAMS = (
    *("opt/tillbox/current/bin/tillbox-cloud", "usr/bin/cage", "usr/lib/tillbox/kiosk-trust"),
    "bin/systemctl",
)


def rendered(template: Path, **given: object) -> str:
    """As Ansible renders with the role's own defaults: what is not there is an error."""
    values: dict[str, Any] = {"ansible_managed": "Ansible", "item": "api"}
    for part in ("defaults", "vars"):
        file = template.parents[1] / part / "main.yml"
        values |= yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
    values |= given
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        autoescape=False,  # noqa: S701 - configuration, no page
    )
    environment.filters |= {"dirname": os.path.dirname, "quote": shlex.quote}
    return environment.get_template(template.name).render(values)


@pytest.fixture(scope="module")
def machine(tmp_path_factory) -> Path:
    """A root file system with this machine's own units, our programs and our units."""
    root = tmp_path_factory.mktemp("machine") / "root"
    shutil.copytree("/usr/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True)
    for name in PROGRAMS:
        program = root / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\n", encoding="ascii")
        program.chmod(0o755)
    units = root / "etc/systemd/system"
    units.mkdir(parents=True)
    for template in TEMPLATES:
        (units / template.stem).write_text(rendered(template), encoding="utf-8")
    return root


def complaints(machine: Path, *units: str) -> str:
    done = subprocess.run(
        ["systemd-analyze", "verify", f"--root={machine}", "--man=no", *units],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.stdout


def test_systemd_takes_every_unit_of_the_roles_without_a_word(machine) -> None:
    names = [template.stem for template in TEMPLATES]
    assert {"tillbox-kiosk.service", "tillbox-cloud.service"} <= set(names)
    assert complaints(machine, *names) == ""


def test_a_misspelt_line_of_the_screens_unit_would_be_noticed(machine) -> None:
    text = (machine / "etc/systemd/system/tillbox-kiosk.service").read_text(encoding="utf-8")
    bad = machine / "etc/systemd/system/bad.service"
    bad.write_text(text.replace("TTYPath=", "TTYFile="), encoding="utf-8")
    assert "TTYFile" in complaints(machine, bad.name)


def test_the_screens_script_is_one_that_a_shell_takes() -> None:
    [template] = ANSIBLE.glob("roles/tillbox_kiosk/templates/*.sh.j2")
    text = rendered(template)
    done = subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "certutil" in text


def test_an_api_behind_another_machines_nginx_believes_it_who_asks() -> None:
    template = ANSIBLE / "roles/tillbox_cloud/templates/tillbox-cloud.service.j2"
    peers = ["10.0.0.1", "10.0.0.2"]
    assert "FORWARDED_ALLOW_IPS" not in rendered(template)
    told = rendered(template, tillbox_cloud_peers=peers)
    assert "\nEnvironment=FORWARDED_ALLOW_IPS=127.0.0.1,10.0.0.1,10.0.0.2\n" in told
