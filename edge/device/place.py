"""Where the settings say that a lane's device is."""

from __future__ import annotations


def path_of(path: str, lane: int) -> str:
    """The path with the lane's number for `{lane}`; other braces are part of a name."""
    return path.replace("{lane}", str(lane))
