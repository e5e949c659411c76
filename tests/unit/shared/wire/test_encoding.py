"""Who gets a compressed answer."""

import pytest

from shared.wire.encoding import takes_gzip


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        ("", False),
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, GZIP;q=0.8", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("*", True),
        ("*;q=0", False),
        ("identity", False),
        ("xgzip", False),
        (",;=,", False),
    ],
)
def test_takes_gzip(header: str, takes: bool) -> None:
    assert takes_gzip(header) is takes
