"""The conftest of the sandbox: the same examples for every mutant, few of them, none shrunk."""

from __future__ import annotations

from hypothesis import Phase, settings

settings.register_profile(
    "mutation",
    database=None,
    deadline=None,
    derandomize=True,
    max_examples=20,
    phases=(Phase.explicit, Phase.generate),
)
settings.load_profile("mutation")
