"""The same examples on each run: a failure here is a bug, never chance.

`--hypothesis-profile=search` looks for new ones instead, longer and by chance.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "house",
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "search", settings.get_profile("house"), max_examples=1500, derandomize=False
)
if settings.get_current_profile_name() == "default":
    settings.load_profile("house")
