"""Which passwords are good enough: long, and not among those that are tried first.

No rules about digits and signs: they make passwords that people forget and machines guess
(NIST SP 800-63B, 5.1.1.2). Guesses are counted by zxcvbn, which holds 30,000 common passwords,
names, words, keyboard walks and dates.
"""

from __future__ import annotations

import re

from zxcvbn import zxcvbn

from shared.kernel.errors import RefusedError

LENGTH_MIN = 10
LENGTH_MAX = 256
JUDGED_MAX = 72
"""What lies behind cannot make a password weaker, and takes long to judge."""
SCORE_MIN = 3
"""At least 10^8 guesses: out of reach of whoever may try ten times in five minutes."""
OWN_MIN, REST_MIN = 3, 5
"""What is left of a password without the person's own words has to be so long."""
_PARTS = re.compile(r"[\s@._-]+")


def require_good(password: str, *words: str) -> None:
    """Raise RefusedError `user.password_short`, `user.password_long` or `user.password_guessable`.

    `words` are what belongs to the person and is no secret: name, mail address.
    """
    if len(password) < LENGTH_MIN:
        raise RefusedError("user.password_short", length=LENGTH_MIN)
    if len(password) > LENGTH_MAX:
        raise RefusedError("user.password_long", length=LENGTH_MAX)
    own = {part for word in ("tillbox", *words) for part in (word, *_PARTS.split(word)) if part}
    rest = password.lower()
    for word in sorted(own, key=len, reverse=True):
        rest = rest.replace(word.lower(), " ") if len(word) >= OWN_MIN else rest
    judged = zxcvbn(password[:JUDGED_MAX], sorted(own))
    if judged["score"] < SCORE_MIN or len("".join(_PARTS.split(rest))) < REST_MIN:
        raise RefusedError("user.password_guessable")
