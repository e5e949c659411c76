"""The two web apps: npm's packages and the built pages, made again only when an input moved."""

from __future__ import annotations

import os
import subprocess

from tests.lab.console import run_quietly, step
from tests.lab.python_env import ROOT, STAMPS, VENV_PYTHON, install_locked
from tests.lab.stamp import Stamp, digest_of, files_under

WORKSPACES = (ROOT / "shared" / "web", ROOT / "edge" / "web", ROOT / "cloud" / "web")
PAGES = (ROOT / "edge" / "http" / "static", ROOT / "cloud" / "http" / "static")
PACKAGE_FILES = (
    ROOT / "package.json",
    ROOT / "package-lock.json",
    ROOT / ".npmrc",
    *(folder / "package.json" for folder in WORKSPACES),
)
HOOK = ROOT / "hatch_build.py"


def prepare() -> None:
    """Install npm's packages and build both apps; quick when nothing changed."""
    if os.environ.get("SKIP_WEB_BUILD", "0") == "1":
        return
    installed = digest_of(PACKAGE_FILES)
    _install_packages(installed)
    _build(installed)


def _install_packages(digest: str) -> None:
    stamp = Stamp(STAMPS, "npm")
    if stamp.is_fresh(digest) and (ROOT / "node_modules" / "vite").is_dir():
        return
    stamp.clear()
    if subprocess.run([VENV_PYTHON, HOOK, "needs-node"], check=False).returncode == 0:
        install_locked(ROOT / "requirements-node.lock")
    with step("Installing the web apps' pinned packages"):
        _npm("ci", "--ignore-scripts", hint="npm could not install its packages: see above.")
    stamp.set(digest)


def _build(installed: str) -> None:
    stamp = Stamp(STAMPS, "web")
    sources = [path for folder in WORKSPACES for path in files_under(folder)]
    sources += files_under(ROOT / "shared" / "i18n")
    digest = digest_of(sources, installed)
    if stamp.is_fresh(digest) and all((page / "index.html").is_file() for page in PAGES):
        return
    stamp.clear()
    with step("Building the till page and the console"):
        _npm("run", "build", hint="Building the web apps failed: see the lines above.")
    stamp.set(digest)


def _npm(*arguments: str, hint: str) -> None:
    run_quietly([str(VENV_PYTHON), str(HOOK), "npm", *arguments], cwd=ROOT, hint=hint)
