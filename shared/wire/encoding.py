"""What a client says of compressed answers (RFC 9110, 12.5.3)."""

from __future__ import annotations

GZIP = "gzip"


def takes_gzip(accept_encoding: str) -> bool:
    """Whether an `Accept-Encoding` header allows gzip; "" (no header) does not."""
    said = {}
    for part in accept_encoding.lower().split(","):
        coding, _, parameter = part.partition(";")
        said[coding.strip()] = parameter.replace(" ", "").removeprefix("q=")
    weight = said.get(GZIP, said.get("*", "0"))
    return weight.strip("0.") != "" or weight == ""
