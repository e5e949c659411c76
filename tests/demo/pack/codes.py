"""Codes derived for data that carries no barcodes of its own."""

_WEIGHTS = (1, 3)


def ean13_of(product_id: int) -> str:
    """Derive a valid EAN-13 of the restricted range `04` from a product id (ten digits)."""
    return _with_check_digit(f"04{product_id:010d}")


def label_of(plu: int, cents: int) -> str:
    """Build the price-embedded code of a weighed item: `22`, PLU, cents, check digit."""
    return _with_check_digit(f"22{plu:05d}{cents:05d}")


def _with_check_digit(body: str) -> str:
    # GS1 General Specifications 7.9: twelve digits, weights 1 and 3 from the left.
    total = sum(int(digit) * _WEIGHTS[place % 2] for place, digit in enumerate(body))
    return f"{body}{-total % 10}"
