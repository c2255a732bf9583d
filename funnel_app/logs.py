"""How the product logs: JSON lines for machines, or plain lines for people."""

from __future__ import annotations

import logging
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied

# A rich one prints local variables, and so passwords.
PLAIN = structlog.dev.ConsoleRenderer(
    colors=False, exception_formatter=structlog.dev.plain_traceback
)


class WithoutTraceOfRefusals(logging.Filter):
    """Somebody who may not open a page is no fault of the program: one line is enough."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], PermissionDenied):
            record.exc_info = None
        return True


def configure(formatter: str, level: str) -> dict[str, Any]:
    """The value of LOGGING; `formatter` is "json" or "console". Sets structlog up, too."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"without_trace_of_refusals": {"()": WithoutTraceOfRefusals}},
        "formatters": {
            "json": _formatter(structlog.processors.JSONRenderer()),
            "console": _formatter(PLAIN),
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": formatter,
                "filters": ["without_trace_of_refusals"],
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.server": {"level": "WARNING"},
            "django_structlog": {"level": "WARNING"},
        },
    }


def _formatter(processor: Any) -> dict[str, Any]:
    return {"()": structlog.stdlib.ProcessorFormatter, "processor": processor}
