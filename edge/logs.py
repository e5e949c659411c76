"""Structured logs: JSON lines on stderr, a readable form when a person looks on."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.tracebacks import ExceptionDictTransformer


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
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared_steps,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in ("box", "desk", "effects", "http", "edge"):
        logging.getLogger(name).setLevel(logging.INFO)
