"""Time, chance and the world enter at named places only: everything else can be replayed."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import PRODUCT, dotted, imports_of, tree_of, with_suffix

# Receipts of years ago are priced again in tests, demos and at headquarters: who needs the time is
# given it.
CLOCK_CALLS = {
    *("time.time", "time.time_ns", "time.localtime", "time.gmtime"),
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.date.today"),
}
CHANCE_CALLS = {"uuid.uuid1", "uuid.uuid4", "uuid4", "uuid1"}
ADAPTERS = {
    *("edge/__main__.py", "edge/clock.py", "edge/ids.py"),
    *("cloud/__main__.py", "cloud/clock.py", "cloud/ids.py"),
}
CORE_MODULES = {
    *("__future__", "bisect", "collections", "dataclasses", "datetime", "difflib", "enum"),
    *(
        "functools",
        "reprlib",
        "hashlib",
        "heapq",
        "hmac",
        "io",
        "itertools",
        "json",
        "math",
        "operator",
        "re",
        "typing",
    ),
    *("types", "unicodedata", "uuid", "zlib", "zoneinfo", "struct", "base64", "decimal"),
    *("fractions", "abc", "contextlib", "ipaddress"),
}
# Where the core speaks to the other side, it may use the codecs of the wire.
CORE_EXTRAS = dict.fromkeys(("orjson", "pydantic", "pydantic_core", "zstandard"), ("shared/wire/",))
CORE_EXTRAS["urllib"] = ("shared/wire/claim.py",)  # the claim is a URL: urllib.parse
VENDORS = {
    "alembic": ("cloud/migrations/",),
    "argon2": ("edge/staff/", "cloud/passwords.py"),
    "boto3": ("cloud/archive/",),
    "botocore": ("cloud/archive/",),
    "escpos": ("edge/device/",),
    "evdev": ("edge/device/",),
    "openpyxl": ("cloud/sheet.py",),
    "paho": ("edge/mqtt.py", "cloud/mqtt.py", "cloud/lightbox/link.py"),
    "psycopg": ("cloud/db.py",),
    "pyudev": ("edge/device/udev.py",),
    "serial": ("edge/device/",),
    "usb": ("edge/device/",),
    "yaml": ("cloud/offer/file.py",),
}
# Who asks, with what, and how it is answered: shared by every `api.py`.  And who wires them.
REQUEST_PARTS = {
    *(
        f"cloud/{name}.py"
        for name in ("access", "answer", "compose", "context", "server", "upload")
    ),
    *(f"edge/{name}.py" for name in ("access", "box", "server")),
}


def python_files() -> Iterator[Path]:
    return with_suffix(".py", below=PRODUCT)


def test_only_clocks_ask_for_the_time_and_only_id_makers_roll_dice() -> None:
    found = [
        f"{path}:{node.lineno} {name}"
        for path in python_files()
        if path.as_posix() not in ADAPTERS
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and ((name := dotted(node.func)) in CLOCK_CALLS | CHANCE_CALLS)
    ]
    assert found == []


def test_nobody_uses_the_guessable_random_numbers() -> None:
    found = [
        f"{path}:{line}"
        for path in python_files()
        for module, line in imports_of(path)
        if module.partition(".")[0] == "random"
    ]
    assert found == []


def test_the_core_imports_nothing_that_touches_the_world() -> None:
    found = [
        f"{path}:{line} {module}"
        for path in with_suffix(".py", below=("shared",))
        for module, line in imports_of(path)
        if not core_may_import(path, module.partition(".")[0])
    ]
    assert found == []


def core_may_import(path: Path, package: str) -> bool:
    return (
        package == "shared"
        or package in CORE_MODULES
        or path.as_posix().startswith(CORE_EXTRAS.get(package, ("nowhere",)))
    )


@pytest.mark.parametrize("vendor", VENDORS)
def test_each_vendor_library_sits_behind_one_module(vendor: str) -> None:
    found = [
        f"{path}:{line} {module}"
        for path in python_files()
        for module, line in imports_of(path)
        if module.partition(".")[0] == vendor and not path.as_posix().startswith(VENDORS[vendor])
    ]
    assert found == []


def test_web_frameworks_stay_at_the_edge_of_a_room() -> None:
    """FastAPI where requests are read and answered only: services can be called by anything."""
    found = [
        f"{path}:{line} {module}"
        for path in python_files()
        for module, line in imports_of(path)
        if module.partition(".")[0] in {"fastapi", "starlette"}
        and "http" not in path.parts
        and not path.name.endswith("api.py")
        and path.as_posix() not in REQUEST_PARTS
    ]
    assert found == []


def test_money_and_quantity_are_never_floats() -> None:
    """No name that carries money or a quantity is annotated as a float."""
    found = [
        f"{path}:{node.lineno} {name}"
        for path in python_files()
        for node in ast.walk(tree_of(path))
        for name, annotation in annotated(node)
        if name.endswith(("_minor", "_milli")) and "float" in ast.unparse(annotation)
    ]
    assert found == []


def annotated(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id, node.annotation
    if isinstance(node, ast.arg) and node.annotation is not None:
        yield node.arg, node.annotation
    if isinstance(node, ast.FunctionDef) and node.returns is not None:
        yield node.name, node.returns


def test_the_list_of_core_modules_holds_only_the_standard_library() -> None:
    assert sys.stdlib_module_names >= CORE_MODULES
