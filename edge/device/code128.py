"""A text as a Code 128 symbol (ISO/IEC 15417), in widths of bars and spaces. Pure."""

from __future__ import annotations

import re

_START_B, _STOP, _MODULUS = 104, 106, 103
_FIRST, _LAST = " ", "\x7f"
_WIDTHS = re.findall(
    r"\d{7}$|\d{6}",
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132"
    "122231113222123122123221223211221132221231213212223112312131311222321122321221312212"
    "322112322211212123212321232121111323131123131321112313132113132311211313231113231311"
    "112133112331132131113123113321133121313121211331231131213113213311213131311123311321"
    "331121312113312311332111314111221411431111111224111422121124121421141122141221112214"
    "112412122114122411142112142211241211221114413111241112134111111242121142121241114212"
    "124112124211411212421112421211212141214121412121111143111341131141114113114311411113"
    "4113111131411141313111414111312114122112142112322331112",
)
"""Bar, space, bar, ... of each symbol character, in modules."""


def bars_of(text: str) -> list[int]:
    """Widths in modules of bar, space, bar, ... in code set B; ValueError beyond ASCII 32-127.

    Ten modules of nothing belong on both sides.
    """
    if not text or any(not _FIRST <= each <= _LAST for each in text):
        message = "code set B holds ASCII 32 to 127"
        raise ValueError(message)
    values = [_START_B, *(ord(each) - ord(_FIRST) for each in text)]
    check = (values[0] + sum(n * value for n, value in enumerate(values[1:], 1))) % _MODULUS
    return [int(width) for value in (*values, check, _STOP) for width in _WIDTHS[value]]
