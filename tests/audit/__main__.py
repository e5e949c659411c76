"""`make audit`: what the product is made of, and whether anything about it is known to be bad.

Prints a line for each check and writes the bill of materials and the licence report to `dist/`.
Exit code 1 for a finding, 2 when something could not be asked: no answer is not a good answer.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from hatch_build import SBOM_FILE, SBOM_LOCKS, sbom
from tests.audit.licences import licences
from tests.lab.console import say, trusting_environment
from tests.lab.python_env import AUDIT_LOCK, ROOT, install_apart

DIST = ROOT / "dist"
FOUND, NOT_ASKED = 1, 2
LOCKS = (*SBOM_LOCKS, "requirements.lock")
WEIGHED = ("S101", "S603", "S607")
"""Ruled out for the whole project, with reasons, in pyproject.toml."""
_CHECK_SBOM = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
flaw = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())
sys.exit(str(flaw) if flaw else 0)
"""


def main() -> int:
    """Run every check; the worst outcome is the exit code."""
    tools = install_apart(AUDIT_LOCK)
    DIST.mkdir(exist_ok=True)
    checks: list[tuple[str, Callable[[], tuple[int, str]]]] = [
        ("bill of materials", lambda: _bill(tools)),
        ("licences", _licences),
        ("our own code", _own_code),
        *((f"{lock}: known faults", _asker(tools, lock)) for lock in LOCKS),
        ("package-lock.json: known faults", _npm),
    ]
    codes = []
    for name, check in checks:
        code, said = check()
        codes.append(code)
        say(f"{('ok', 'FOUND', 'NOT ASKED')[code]:10} {name}: {said}")
    return FOUND if FOUND in codes else max(codes)


def _bill(tools: Path) -> tuple[int, str]:
    bill = DIST / SBOM_FILE
    document = sbom(ROOT)
    bill.write_text(json.dumps(document, indent=1), encoding="utf-8")
    done = _run([str(tools), "-c", _CHECK_SBOM, str(bill)])
    if done.returncode != 0:
        return FOUND, done.stderr.strip()
    return 0, f"{len(document['components'])} parts in dist/{SBOM_FILE}, valid CycloneDX 1.6"


def _licences() -> tuple[int, str]:
    found = licences(ROOT)
    with (DIST / "licences.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("package", "licence"))
        rows.writerows((each.purl, each.expression) for each in found)
    unfit = [f"{each.purl} ({each.expression or 'says none'})" for each in found if not each.is_fit]
    return (FOUND, ", ".join(unfit)) if unfit else (0, "all fit; dist/licences.csv")


def _own_code() -> tuple[int, str]:
    places = ("shared", "edge", "cloud", "hatch_build.py")
    rules = ("--select=S", f"--ignore={','.join(WEIGHED)}", "--output-format=concise")
    done = _run([sys.executable, "-m", "ruff", "check", "--quiet", *rules, *places])
    if done.returncode != 0:
        return FOUND, ", ".join(done.stdout.strip().splitlines())
    return 0, "nothing that ruff's security rules know"


def _asker(tools: Path, lock: str) -> Callable[[], tuple[int, str]]:
    options = ("--disable-pip", "--require-hashes", "--progress-spinner=off", "--format=json")

    def ask() -> tuple[int, str]:
        done = _run([str(tools), "-m", "pip_audit", *options, "-r", str(ROOT / lock)])
        try:
            parts = json.loads(done.stdout)["dependencies"]
        except (ValueError, KeyError):
            said = done.stderr.strip().splitlines()[-1:] or ["pip-audit said nothing"]
            return NOT_ASKED, said[0][:300]
        unasked = [part["name"] for part in parts if "skip_reason" in part]
        if unasked:
            return (
                NOT_ASKED,
                f"the index knows {len(parts) - len(unasked)} of {len(parts)} packages",
            )
        bad = [
            f"{part['name']} {part['version']}: {flaw['id']}"
            for part in parts
            for flaw in part["vulns"]
        ]
        return (FOUND, ", ".join(bad)) if bad else (0, f"none in {len(parts)} packages")

    return ask


def _npm() -> tuple[int, str]:
    hook = str(ROOT / "hatch_build.py")
    done = _run([sys.executable, hook, "npm", "audit", "--json", "--omit=optional"])
    try:
        counts = json.loads(done.stdout)["metadata"]["vulnerabilities"]
    except (ValueError, KeyError):
        said = done.stderr.strip().splitlines()[-1:] or ["npm said nothing"]
        return NOT_ASKED, said[0][:300]
    bad = {name: n for name, n in counts.items() if n and name != "total"}
    return (FOUND, str(bad)) if bad else (0, "none")


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, env=trusting_environment(), capture_output=True, text=True, check=False
    )


if __name__ == "__main__":
    sys.exit(main())
