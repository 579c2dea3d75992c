"""Sends every event where it belongs."""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import Any

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from gateway.log.failures import is_worth_a_line
from gateway.log.lines import Lines, json_line, json_text, line_of, render_exception, stamp
from gateway.log.outlet import Outlet
from gateway.log.wall import redact_event


def configure_logging(level: str = "info", *, for_good: bool = False) -> None:
    """Send every event, those of libraries too (from warnings on), to stderr. `for_good` makes each logger once."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        render_exception,
    ]
    outlet = Outlet(sys.stderr)
    is_terminal = sys.stderr.isatty()
    # JSON for programs; plain columns for somebody at a terminal.
    last: list[Processor] = [
        redact_event,
        stamp,
        structlog.dev.ConsoleRenderer(timestamp_key="at") if is_terminal else json_text,
    ]
    structlog.configure(
        processors=[*shared, *last, line_of] if is_terminal else [json_line],
        wrapper_class=_logger_from(level),
        logger_factory=partial(Lines, outlet),
        cache_logger_on_first_use=for_good,
    )
    _listen_to_libraries(outlet, shared, last)


def _listen_to_libraries(outlet: Outlet, shared: list[Processor], last: list[Processor]) -> None:
    handler = logging.StreamHandler(outlet)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.PositionalArgumentsFormatter(),
                *shared,
                structlog.stdlib.ExtraAdder(),
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(is_worth_a_line)
    logging.getLogger("aiohttp.access").disabled = True  # its lines hold paths, and paths hold callback secrets


def _logger_from(level: str) -> type[FilteringBoundLogger]:
    """structlog's own, with a shorter way for an info: its own hands the facts from call to call, a copy each."""
    usual = structlog.make_filtering_bound_logger(level)
    if logging.getLevelNamesMapping()[level.upper()] > logging.INFO:
        return usual

    def info(self: Any, event: str, *args: Any, **facts: Any) -> None:
        if args or self._context:
            usual.info(self, event, *args, **facts)
            return
        facts["event"] = event
        line: Any = facts
        try:
            for step in self._processors:
                line = step(self._logger, "info", line)
        except structlog.DropEvent:
            return
        self._logger.info(line)

    return type(usual.__name__, (usual,), {"info": info})
