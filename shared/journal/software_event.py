"""Which software a box runs, told in the same journal as what it sold with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class SoftwareChanged:
    """The box's software changed from one version to another.

    `because` is "update", or the code of why a new version was given up again.
    """

    type: ClassVar[str] = "software.changed"
    before: str
    after: str
    because: str
