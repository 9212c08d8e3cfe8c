"""Logs of every process: structlog, one line each, secrets kept out.

A playback token stands in a path and an ingest key in a publish; both are masked here once, whoever logs them.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

SECRET_FIELDS = frozenset({"password", "key", "token", "secret", "cookie", "authorization", "csrf_token"})
TOKEN_IN_PATH = re.compile(r"(/(?:live|replay)/[0-9a-f-]{36}/)[^/\s]+")


def configure(process: str, level: str, style: str) -> None:
    """Set up structlog and the standard library's logging alike for one process."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(process),
        mask_secrets,
    ]
    # Plain tracebacks in both styles: a pretty one prints local variables, and keys are among them.
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    rendering: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()] if style == "json" else [console]
    )
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[_drop_meta, *rendering])
    )
    logging.basicConfig(handlers=[handler], level=max(threshold, logging.WARNING), force=True)


def mask_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what must not reach a log: fields named as secrets, and the token of a playback path."""
    for field, value in event.items():
        if field in SECRET_FIELDS:
            event[field] = "***"
        elif isinstance(value, str) and "/" in value:
            event[field] = TOKEN_IN_PATH.sub(r"\1***", value)
    return event


def _named(process: str) -> structlog.typing.Processor:
    def add(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = process
        return event

    return add


def _drop_meta(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(_logger, _method, event)
