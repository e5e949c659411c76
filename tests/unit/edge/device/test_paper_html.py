from __future__ import annotations

import pytest

from edge.device.paper import Paper, SymbolRow
from edge.device.paper_html import paper_html


def test_an_address_in_a_qr_code_can_be_followed() -> None:
    page = paper_html(Paper((SymbolRow("qr", 'https://hq.example/r/<"1">', "center"),)))
    address = "https://hq.example/r/&lt;&quot;1&quot;&gt;"
    assert f'href="{address}"' in page
    assert f">{address}</a>" in page


@pytest.mark.parametrize("data", ["1-000017", "javascript:alert(1)", "data:text/html,<b>"])
def test_nothing_else_in_a_qr_code_becomes_a_link(data: str) -> None:
    page = paper_html(Paper((SymbolRow("qr", data, "center"),)))
    assert "href" not in page
    assert "<b>" not in page
