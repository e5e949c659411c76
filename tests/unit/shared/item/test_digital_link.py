"""GS1 Digital Links: web addresses that name an item, and all the others, which do not."""

from __future__ import annotations

import pytest

from shared.item.barcode import ItemBarcode, OtherData, parse_barcode
from shared.item.digital_link import is_web_address, read_digital_link
from shared.kernel.errors import RefusedError
from shared.kernel.gtin import Gtin

TEA = "06901234567892"
HOST = "https://brand.example"


@pytest.mark.parametrize(
    ("link", "elements"),
    [
        (f"{HOST}/01/{TEA}", {"01": TEA}),
        (f"{HOST}/01/{TEA}/", {"01": TEA}),
        (f"HTTP://BRAND.EXAMPLE:8080/a/b/01/{TEA}", {"01": TEA}),
        (f"{HOST}/01/{TEA}/22/V1/10/L1/21/S1", {"01": TEA, "22": "V1", "10": "L1", "21": "S1"}),
        (f"{HOST}/01/{TEA}/21/S1", {"01": TEA, "21": "S1"}),
        (f"{HOST}/01/{TEA}/235/X", {"01": TEA, "235": "X"}),
        (f"{HOST}/01/{TEA}?17=270131&utm=x&3103=001750", {"01": TEA, "17": "270131"}),
        (f"{HOST}/01/{TEA}?17=270131;15=270130#top", {"01": TEA, "17": "270131"}),
        (f"{HOST}/01/{TEA}/10/A%2FB%3a", {"01": TEA, "10": "A/B:"}),
        (f"{HOST}/01/{TEA}?10=A%2BB", {"01": TEA, "10": "A+B"}),
        (f"{HOST}/01/6901234567892", {"01": TEA}),
        (f"{HOST}/01/96385074", {"01": "00000096385074"}),
        (f"{HOST}/414/6901234567892/254/X", {"414": "6901234567892", "254": "X"}),
        (f"{HOST}/00/340123450000000000", {"00": "340123450000000000"}),
        (f"{HOST}/01/00/01/{TEA}", {"01": TEA}),
    ],
)
def test_a_link_names_elements(link: str, elements: dict[str, str]) -> None:
    assert dict(read_digital_link(link)).items() >= elements.items()


@pytest.mark.parametrize(
    ("link", "because"),
    [
        (HOST, "barcode.web_link"),
        (f"{HOST}/", "barcode.web_link"),
        (f"{HOST}/tea", "barcode.web_link"),
        (f"{HOST}/r/8Z2K", "barcode.web_link"),
        (f"{HOST}/01", "barcode.web_link"),
        (f"{HOST}/10/L1", "barcode.web_link"),
        (f"https:///01/{TEA}", "barcode.web_link"),
        (f"{HOST}/01/{TEA}?10=中", "barcode.web_link"),
        (f"{HOST}/01/{TEA}/10/A%2", "barcode.web_link"),
        (f"{HOST}/01/{TEA} ", "barcode.web_link"),
        (f"{HOST}/01/{TEA[:-1]}3", "barcode.ai_data"),
        (f"{HOST}/01/690123456789", "barcode.ai_data"),
        (f"{HOST}/01/{TEA}/10/", "barcode.web_link"),
        (f"{HOST}/01/{TEA}/10/%E4%B8%AD", "barcode.ai_data"),
        (f"{HOST}/01/{TEA}?10=A+B", "barcode.ai_data"),
        (f"{HOST}/01/{TEA}/10/L/22/V", "barcode.link_part"),
        (f"{HOST}/01/{TEA}/10/L/235/X", "barcode.link_part"),
        (f"{HOST}/01/{TEA}/17/270131", "barcode.link_part"),
        (f"{HOST}/00/340123450000000000/10/L", "barcode.link_part"),
        (f"{HOST}/01/{TEA}?21=S1", "barcode.link_part"),
        (f"{HOST}/01/{TEA}?05=1", "barcode.ai_unknown"),
        (f"{HOST}/01/{TEA}/10/A?10=A", "barcode.ai_twice"),
        (f"{HOST}/01/{TEA}/10/A/10/A", "barcode.link_part"),
        (f"{HOST}/01/{TEA}?37=2", "barcode.ai_together"),
        (f"{HOST}/01/{TEA}?12=270131", "barcode.ai_alone"),
    ],
)
def test_any_other_link_is_refused(link: str, because: str) -> None:
    with pytest.raises(RefusedError, match=because.replace(".", r"\.")):
        read_digital_link(link)


def test_a_link_sells_like_the_code_it_replaces() -> None:
    found = parse_barcode(f"{HOST}/01/{TEA}/10/L1/21/S1?17=270131")
    assert found == ItemBarcode(Gtin("6901234567892"), lot="L1", serial="S1", expiry="270131")
    assert isinstance(parse_barcode(f"{HOST}/414/6901234567892"), OtherData)


@pytest.mark.parametrize("text", ["http:/x", "ftp://x", "www.brand.example", "HTTPS", ""])
def test_only_the_webs_schemes_make_a_web_address(text: str) -> None:
    assert not is_web_address(text)
