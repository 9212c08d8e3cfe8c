"""Logs of every process: structlog, one line each, secrets kept out.

A playback token stands in a path and an ingest key in a publish; both are masked here once, whoever logs them, in
fields, in what lies inside them, and in tracebacks.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

SECRET_FIELDS = frozenset({"password", "key", "token", "secret", "cookie", "authorization", "ingest_key"})
SECRET_ENDINGS = ("_password", "_token", "_secret", "_cookie")
# What a secret looks like in a text, and how much of it may stay.
SECRETS_IN_TEXT = (
    re.compile(r"(/(?:live|replay)/[0-9a-f-]{36}/)[^/\s]+"),
    re.compile(r"(\brtmps?://[^/\s]+/[^/\s]+/)[^\s\"')]+"),
    re.compile(r"(://[^:/@\s]*:)[^@/\s]+(?=@)"),
    re.compile(r"(\bBearer )\S+", re.IGNORECASE),
)


def configure(process: str, level: str, style: str) -> None:
    """Set up structlog and the standard library's logging alike for one process."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(process),
    ]
    render: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    # The mask comes last before the line is made: a traceback quotes what was passed.
    ending: list[structlog.typing.Processor] = [structlog.processors.format_exc_info, mask_secrets, render]
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[_drop_meta, *ending])
    )
    logging.basicConfig(handlers=[handler], level=max(threshold, logging.WARNING), force=True)


def mask_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what must not reach a log: fields named as secrets, and what looks like one in a text."""
    for field, value in event.items():
        event[field] = _masked(field, value)
    return event


def _masked(field: str, value: Any) -> Any:
    if field in SECRET_FIELDS or field.endswith(SECRET_ENDINGS):
        return "***"
    if isinstance(value, str):
        for secret in SECRETS_IN_TEXT:
            value = secret.sub(r"\1***", value)
        return value
    if isinstance(value, Mapping):
        return {name: _masked(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked("", inner) for inner in value]
    if isinstance(value, BaseException):
        return _masked("", f"{type(value).__name__}: {value}")
    return value


def _named(process: str) -> structlog.typing.Processor:
    def add(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = process
        return event

    return add


def _drop_meta(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(_logger, _method, event)
