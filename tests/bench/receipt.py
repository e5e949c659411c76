"""A 40-line Chinese receipt: how soon its bytes are ready for the printer, and how many.

Judged by the thread's own CPU time: it touches no file, so that on a box that has nothing else to
do both clocks say the same, and on a busy machine the wall clock says how busy that is.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from edge.receipt.layout import PrintedSale
from tests.bench.figure import Figure, percentile, spread
from tests.builders import PRICED_AT_MS
from tests.golden.made_paper import CASES, layout_of, sale_of

RUNS = 500
GOAL_MS = 5.0
GOAL_BYTES = 6 * 1024


def measure() -> list[Figure]:
    """Time and size; the logo case says what a logo costs on top."""
    case = CASES["paper_zh-CN_80_40_lines"]
    layout = layout_of(case)
    printed = PrintedSale(sale_of("zh-CN", 40), PRICED_AT_MS, 0, "2017-08-07", bytes(range(32)))
    first_ms = _cpu_ms(lambda: layout.payload(printed))
    took_ms = [_cpu_ms(lambda: layout.payload(printed)) for _ in range(RUNS)]
    wall_ms = [_wall_ms(lambda: layout.payload(printed)) for _ in range(RUNS)]
    data, text = layout.payload(printed), layout.text(printed)
    bare_ms = [_cpu_ms(lambda: text.encode("gb18030")) for _ in range(RUNS)]
    with_logo = layout_of(CASES["paper_zh-CN_80_logo"]).payload(printed)
    bare_bytes = len(text.encode("gb18030"))
    return [
        Figure(
            "40-line Chinese receipt -> bytes ready, CPU p99",
            "ms",
            percentile(took_ms, 0.99),
            GOAL_MS,
            percentile(bare_ms, 0.99),
            "encoding the same text, CPU p99",
            f"the first one {first_ms:.1f} ms; by the wall clock {spread(wall_ms, 'ms')}",
        ),
        Figure(
            "40-line Chinese receipt, size",
            "KB",
            len(data) / 1024,
            GOAL_BYTES / 1024,
            bare_bytes / 1024,
            "its text alone",
            f"{len(data)} bytes; {len(with_logo)} with a logo of 300 x 96 dots",
        ),
    ]


def _cpu_ms(work: Callable[[], object]) -> float:
    began_ns = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - began_ns) / 1e6


def _wall_ms(work: Callable[[], object]) -> float:
    began_ns = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - began_ns) / 1e6
