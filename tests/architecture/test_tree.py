"""What may lie in the repository, and what its files may say."""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture.sources import ROOT, files

FOLDERS = {"edge", "cloud", "shared", "firmware-config", "ansible", "tests", ".ci"}
ROOT_FILES = {
    *(".editorconfig", ".gitattributes", ".gitignore", ".npmrc"),
    *("CHANGELOG.md", "LICENSE", "Makefile", "README.md", "SECURITY.md", "hatch_build.py"),
    *("package-lock.json", "package.json", "pyproject.toml"),
    *("requirements.lock", "requirements-bench.lock", "requirements-demo.lock"),
    *("requirements-cloud.lock", "requirements-edge.lock"),
    *("requirements-ansible.lock", "requirements-audit.lock"),
    *("requirements-emupos.lock", "requirements-esphome.lock"),
    *("requirements-mutation.lock", "requirements-node.lock"),
}
BUILT = re.compile(r"(^|/)(dist|static|node_modules|__pycache__|\.svelte-kit)/")
MEGABYTE = 1_000_000
# Spelled in pieces, or this file would break its own rule.
UNSAID = {
    "a package registry's host": "|".join(
        re.escape(host)
        for host in (
            "pypi" + ".org",
            "files.python" + "hosted.org",
            "registry." + "npmjs.org",
            "registry." + "yarnpkg.com",
            "deb." + "debian.org",
        )
    ),
    "a path of one machine": r"/(?:" + r"work/(?:main|shared|\.library)|tmp/bri" + r"ef|root/\.)",
}


def test_the_top_level_is_the_agreed_one() -> None:
    folders = {path.parts[0] for path in files() if len(path.parts) > 1}
    names = {path.name for path in files() if len(path.parts) == 1}
    assert folders - FOLDERS == set()
    assert names - ROOT_FILES == set()


def test_nothing_built_and_nothing_huge_is_tracked() -> None:
    assert [path for path in files() if BUILT.search(path.as_posix())] == []
    assert [path for path in files() if (ROOT / path).stat().st_size > MEGABYTE] == []


def test_no_file_names_a_registry_or_a_machine() -> None:
    found = [
        f"{path}: {what}"
        for path in files()
        for what, pattern in UNSAID.items()
        if re.search(pattern, readable(path))
    ]
    assert found == []


def test_pinned_packages_carry_hashes_and_no_addresses() -> None:
    for path in files():
        if path.suffix != ".lock":
            continue
        text = readable(path)
        pins = re.findall(r"^[A-Za-z0-9._-]+==", text, re.MULTILINE)
        assert pins, path
        assert len(re.findall(r"^    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)) >= len(pins)
        assert "://" not in text, path


def readable(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")
