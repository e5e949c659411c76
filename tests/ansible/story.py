"""What the lab shows, step by step; each step is a function that raises AssertionError."""

from __future__ import annotations

from tests.ansible.lab import CLOUD, Lab

BOX = "box1"
STORES = {"box1": "17", "box2": "18"}


def run_cloud(lab: Lab, *arguments: str) -> str:
    """Run `tillbox-cloud` on the cloud's host as its own user; what it printed."""
    program = ("/opt/tillbox/current/bin/tillbox-cloud", "--config", "/etc/tillbox/cloud.toml")
    user = ("runuser", "--user=tillbox-cloud", "--")
    return lab.hosts[CLOUD].inside(*user, *program, *arguments)
