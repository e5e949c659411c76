"""Give the one user of a Mosquitto password file its password: `set_password.py FILE`.

Name and password come in BROKER_USER and BROKER_PASSWORD.  Prints `changed` when the file did not
hold them; with IS_CHECK it then writes nothing.  The format is that of mosquitto_passwd(1).
"""

from __future__ import annotations

import base64
import grp
import hashlib
import hmac
import os
import secrets
import sys
from pathlib import Path

ITERATIONS = 101
FIELDS = 5


def main(file: Path) -> None:
    """Write unless it is right already."""
    user, password = os.environ["BROKER_USER"], os.environ["BROKER_PASSWORD"]
    line = file.read_text(encoding="ascii").strip() if file.is_file() else ""
    if holds(line, user, password):
        return
    sys.stdout.write("changed\n")
    if os.environ.get("IS_CHECK"):
        return
    salt = secrets.token_bytes(12)
    fields = [str(ITERATIONS), encoded(salt), encoded(digest(password, salt, ITERATIONS))]
    fresh = file.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), "w") as draft:
        draft.write(f"{user}:$7${'$'.join(fields)}\n")
        draft.flush()
        os.fsync(draft.fileno())
    os.chown(fresh, 0, grp.getgrnam("mosquitto").gr_gid)
    fresh.rename(file)


def holds(line: str, user: str, password: str) -> bool:
    """Whether a line is this user's with this password."""
    name, _, rest = line.partition(":")
    fields = rest.split("$")
    if name != user or len(fields) != FIELDS or fields[1] != "7":
        return False
    wanted = digest(password, base64.b64decode(fields[3]), int(fields[2]))
    return hmac.compare_digest(wanted, base64.b64decode(fields[4]))


def digest(password: str, salt: bytes, iterations: int) -> bytes:
    """What the broker keeps of a password."""
    return hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations)


def encoded(part: bytes) -> str:
    """As the file writes bytes."""
    return base64.b64encode(part).decode("ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
