"""One measured figure, its goal, and the limit of this machine measured beside it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` against `goal` in `unit`; `limit` is what the bare machine does, in the same unit.

    `higher_is_better` turns the comparison round.
    """

    name: str
    unit: str
    value: float
    goal: float
    limit: float
    limit_name: str
    detail: str = ""
    higher_is_better: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached."""
        return self.value >= self.goal if self.higher_is_better else self.value <= self.goal

    @property
    def ratio(self) -> float:
        """Figure divided by the machine's limit."""
        return self.value / self.limit if self.limit else float("inf")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: Sequence[float], unit: str) -> str:
    """Median, p99 and worst, for the detail column."""
    middle, high = percentile(values, 0.5), percentile(values, 0.99)
    return f"p50 {middle:.2f}, p99 {high:.2f}, max {max(values):.2f} {unit}, n={len(values)}"


def show(console: Console, figures: Sequence[Figure]) -> None:
    """Print the table."""
    table = Table(title="Benchmarks", title_justify="left")
    for name in ("", "what", "goal", "measured", "limit here", "x limit", "detail"):
        table.add_column(name, justify="right" if name in {"goal", "measured"} else "left")
    for figure in figures:
        sign = ">=" if figure.higher_is_better else "<="
        table.add_row(
            "[green]ok[/]" if figure.is_met else "[bold red]NO[/]",
            figure.name,
            f"{sign} {figure.goal:g} {figure.unit}",
            f"{figure.value:.2f} {figure.unit}",
            f"{figure.limit:.3g} {figure.unit} ({figure.limit_name})",
            f"{figure.ratio:.2f}",
            figure.detail,
        )
    console.print(table)


def write_json(path: Path, figures: Sequence[Figure]) -> None:
    """Write machine and figures, for comparison between two runs."""
    machine = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }
    rows = [{**asdict(f), "ratio": f.ratio, "is_met": f.is_met} for f in figures]
    path.write_text(json.dumps({"machine": machine, "figures": rows}, indent=2) + "\n")
