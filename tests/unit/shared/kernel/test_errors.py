from __future__ import annotations

from shared.kernel.errors import MissingError, RefusedError, RetailError


def test_an_error_shows_its_code_and_what_it_is_about() -> None:
    assert str(RefusedError("tender.short", missing_minor=5, reference=None)) == (
        "tender.short (missing_minor=5, reference=None)"
    )
    assert str(MissingError("basket.line")) == "basket.line"


def test_a_parameter_may_be_called_code() -> None:
    error = RefusedError("barcode.length", code="1", length=1)
    assert error.code == "barcode.length"
    assert error.params == {"code": "1", "length": 1}


def test_families_are_told_apart() -> None:
    assert not isinstance(RefusedError("a.b"), MissingError)
    assert isinstance(RefusedError("a.b"), RetailError)
