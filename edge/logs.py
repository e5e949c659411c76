"""Structured logs: JSON lines on stderr, a readable form when a person looks on."""

from __future__ import annotations

import logging
import sys
from collections import deque

import structlog
from structlog.tracebacks import ExceptionDictTransformer

RING_LINES, RING_LINE_CHARS = 4_000, 4_000


class LogRing(logging.Handler):
    """The newest lines, in memory: what head office may ask for, once it is redacted."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[str] = deque(maxlen=RING_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        try:
            self._lines.append(self.format(record)[:RING_LINE_CHARS])
        except Exception:  # noqa: BLE001 - what cannot be written must not stop who writes it
            self.handleError(record)

    def lines(self) -> list[str]:
        """The newest lines, oldest first."""
        return list(self._lines)


def recent_lines() -> list[str]:
    """The newest log lines of this process, oldest first; none where nobody set logs up."""
    rings = (each for each in logging.getLogger().handlers if isinstance(each, LogRing))
    ring = next(rings, None)
    return [] if ring is None else ring.lines()


def set_up_logs() -> None:
    """Configure structlog and let the libraries' warnings through the same door."""
    is_person = sys.stderr.isatty()
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if is_person
        else structlog.processors.JSONRenderer()
    )
    shared_steps: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not is_person:
        # Without the local variables, which structlog would add: they hold PINs and tokens.
        transformer = ExceptionDictTransformer(show_locals=False)
        shared_steps.append(structlog.processors.ExceptionRenderer(transformer))
    structlog.configure(
        processors=[
            *shared_steps,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler, ring = logging.StreamHandler(sys.stderr), LogRing()
    handler.setFormatter(_formatter(shared_steps, renderer))
    ring.setFormatter(_formatter(shared_steps, structlog.processors.JSONRenderer(default=repr)))
    root = logging.getLogger()
    root.handlers = [handler, ring]
    root.setLevel(logging.WARNING)
    for name in ("box", "desk", "effects", "http", "edge"):
        logging.getLogger(name).setLevel(logging.INFO)


def _formatter(
    steps: list[structlog.types.Processor], renderer: structlog.types.Processor
) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=steps,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
