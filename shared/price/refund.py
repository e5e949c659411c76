"""What a returned part of a sold line gives back: the share that was paid for it."""

from __future__ import annotations

from shared.kernel.errors import RefusedError
from shared.kernel.quantity import format_milli
from shared.price.prorate import share_of


def refund_minor(net_minor: int, qty_milli: int, returned_milli: int, returning_milli: int) -> int:
    """The refund for `returning_milli` more of a line that cost `net_minor` for `qty_milli`.

    Rounded on the sum of all returns so far, so partial returns add up to what was paid. Raises
    RefusedError `return.quantity` when more comes back than is left (or nothing).
    """
    left = qty_milli - returned_milli
    if not 0 < returning_milli <= left:
        raise RefusedError("return.quantity", left=format_milli(left))
    before = share_of(net_minor, returned_milli, qty_milli)
    return share_of(net_minor, returned_milli + returning_milli, qty_milli) - before


def refund_repriced_minor(paid_minor: int, kept_minor: int) -> int:
    """The claw-back policy: what was paid less the price of what is kept, never below nought."""
    return max(0, paid_minor - kept_minor)
