"""A copy of what the check needs, below .cache, and mutmut's runs in it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".cache" / "mutation"
MUTANTS = HOME / "mutants"
PACKAGES = ("shared", "cloud")
TESTS = (
    "tests/unit/shared/price",
    "tests/unit/shared/sale/test_offers.py",
    "tests/unit/shared/sale/test_pricing.py",
    "tests/unit/cloud/test_offer*.py",
    "tests/unit/cloud/test_price*.py",
    "tests/golden/test_promo_cases.py",
    "tests/property/test_offer*.py",
    "tests/property/test_price*.py",
    "tests/property/test_pricing.py",
)
HELPERS = (
    *("tests/__init__.py", "tests/builders.py", "tests/counting.py", "tests/golden/made.py"),
    *("tests/golden/promo_cases.json", "tests/golden/offer_schema.json"),
)
HELPER_FOLDERS = ("tests/property",)
# Its functions make the tables while the module is imported, before a mutant is switched on.
NOT_MUTATED = "shared/price/document_table.py"
# What counts calls or reads the source fails where every function is wrapped in its mutants.
LEFT_OUT = "not calls and not linear and not has_a_text and not has_every_finding"
PYTEST = "[pytest]\npythonpath = .\naddopts = --import-mode=importlib -p no:cacheprovider\n"
SETTINGS = """\
[mutmut]
source_paths=
    shared
only_mutate=
    shared/price/*
do_not_mutate=
    {not_mutated}
also_copy=
    cloud
    pytest.ini
pytest_add_cli_args=
    -k
    {left_out}
pytest_add_cli_args_test_selection=
    {tests}
timeout_multiplier=3
"""
IGNORED = shutil.ignore_patterns("__pycache__", "web", "static", "node_modules")


def make_sandbox() -> None:
    """Copy packages and tests as they are now; earlier results go."""
    shutil.rmtree(HOME, ignore_errors=True)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, HOME / package, ignore=IGNORED)
    tests = list(_tests())
    for path in (*HELPERS, *HELPER_FOLDERS, *tests):
        _copy(path)
    quick = Path(__file__).with_name("quick.py")
    shutil.copyfile(quick, HOME / "tests" / "conftest.py")
    (HOME / "pytest.ini").write_text(PYTEST, encoding="utf-8")
    settings = SETTINGS.format(
        left_out=LEFT_OUT, not_mutated=NOT_MUTATED, tests="\n    ".join(tests)
    )
    (HOME / "setup.cfg").write_text(settings, encoding="utf-8")


def _tests() -> Iterator[str]:
    for pattern in TESTS:
        yield from (path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob(pattern)))


def _copy(path: str) -> None:
    source, target = ROOT / path, HOME / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=IGNORED, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)


def run(names: Sequence[str], jobs: int) -> None:
    """Test some mutants by name or pattern; all are made first. Fails when the tests do."""
    done = mutmut("run", "--max-children", str(jobs), *names)
    if done.returncode:
        message = f"mutmut failed:\n{done.stdout[-4000:]}{done.stderr[-2000:]}"
        raise RuntimeError(message)


def mutmut(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run mutmut in the sandbox."""
    program = Path(sys.executable).with_name("mutmut")
    return subprocess.run(
        [program, *arguments], cwd=HOME, capture_output=True, text=True, check=False
    )


def exit_codes() -> dict[str, int | None]:
    """By mutant what its tests returned; None where they have not run."""
    return dict(_pairs(sorted(MUTANTS.rglob("*.meta"))))


def _pairs(paths: Iterable[Path]) -> Iterator[tuple[str, int | None]]:
    for path in paths:
        found = json.loads(path.read_text(encoding="utf-8"))
        yield from found["exit_code_by_key"].items()


def change_of(name: str) -> str:
    """The changed lines of a mutant as a diff."""
    lines = mutmut("show", name).stdout.splitlines()
    marks = ("+++", "---")
    return "\n".join(line for line in lines if line[:1] in {"+", "-"} and line[:3] not in marks)
