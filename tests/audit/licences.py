"""Which licences the product's parts are under, and whether each one fits an Apache-2.0 product."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from hatch_build import sbom

FIT = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0"),
        *("MIT-CMU", "PSF-2.0", "Public Domain"),
        # Weak copyleft: used as published, replaceable by whoever runs the product.
        *("EPL-2.0", "LGPL-2.1-or-later", "LGPL-3.0-only", "MPL-2.0"),
    }
)
SPOKEN = {
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "BSD license (see license.txt for details), Copyright (c) 2000-2025, ReportLab Inc.": (
        "BSD-3-Clause"
    ),
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
ELSEWHERE = {"colorama": "BSD-3-Clause", "tzdata": "Apache-2.0"}
"""Only on systems that no box and no cloud runs: not installed here, so nothing can be read."""


@dataclass(frozen=True, slots=True)
class Licence:
    """What one part says of itself; `is_fit` whether we may ship it so."""

    purl: str
    name: str
    expression: str

    @property
    def is_fit(self) -> bool:
        """Every licence that applies together is among the fit ones, or one of a choice is."""
        words = re.sub(r"[()]", "", self.expression)
        return bool(words) and all(
            any(choice.strip() in FIT for choice in part.split(" OR "))
            for part in words.split(" AND ")
        )


def licences(root: Path) -> list[Licence]:
    """The licence of every part of the bill of materials; "" where it says none."""
    packages = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    of_npm = {place.rpartition("node_modules/")[2]: each for place, each in packages.items()}
    found = []
    for part in sbom(root)["components"]:
        name, purl = part["name"], part["purl"]
        is_npm = purl.startswith("pkg:npm/")
        said = of_npm[name].get("license", "") if is_npm else _of_python(name)
        found.append(Licence(purl, name, said))
    return found


def _of_python(name: str) -> str:
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return ELSEWHERE.get(name, "")
    expression = about.get("License-Expression")
    if expression:
        return str(expression)
    written = (about.get("License") or "").strip()
    if SPOKEN.get(written, written) in FIT:
        return str(SPOKEN.get(written, written))
    classes = (each for each in about.get_all("Classifier") or [] if each.startswith("License"))
    spoken = [each.rpartition("::")[2].strip() for each in classes]
    known = [SPOKEN.get(each, each) for each in spoken]
    return " OR ".join(each for each in known if each in FIT)
