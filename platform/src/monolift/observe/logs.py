"""Logs as JSON lines that say whose code spoke and which request it was for (structlog)."""

import logging
import os
from typing import Any

import structlog

from monolift.observe.trace import current_trace
from monolift.registry.modules import owner_of_app
from monolift.registry.places import here
from monolift.registry.scope import current

# Names under which secrets travel; their values never reach a log line.
SECRETS = frozenset(
    {"password", "secret", "authorization", "cookie", "number", "cvc", "card", "api_key"}
)


def logging_config(*, level: str = "INFO") -> dict[str, Any]:
    """The value of Django's LOGGING: everything to standard error, one JSON object a line."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(sort_keys=False),
                ],
                "foreign_pre_chain": _PROCESSORS,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        # Django's own handlers would repeat each line, and not as JSON.
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
        },
    }


def add_context(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """Add deployable, module, owner, operation, request and trace id."""
    scope = current()
    if "MONOLIFT_DEPLOYABLE" in os.environ:
        event["deployable"] = here()
    if scope.module:
        event["module"] = scope.module
        event["owner"] = owner_of_app(scope.module)
    if scope.operation:
        event["operation"] = scope.operation
    trace = current_trace()
    if trace is not None:
        event["request_id"] = trace.request_id
        event["trace_id"] = trace.trace_id
    return event


def hide_secrets(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """Replace values whose name says that they are secret."""
    return {name: "[hidden]" if name.lower() in SECRETS else value for name, value in event.items()}


_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    add_context,
    hide_secrets,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.format_exc_info,
]

structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_PROCESSORS,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)


def logger(name: str) -> Any:
    """A structured logger: `log.info("hold expired", reference=...)`."""
    return structlog.stdlib.get_logger(name)


logging.captureWarnings(True)
