"""The web process: granian, or gunicorn, around the project's WSGI application.

The application is loaded in the server's worker only, so that the process above it stays small.
"""

import os
import sys
from functools import partial
from typing import Any, NamedTuple

from monolift.supervise.lifeline import end_with_parent
from monolift.supervise.lines import threads_are_meant
from monolift.supervise.project import Project

DRAIN = 8
"""Seconds for running requests to end; less than what the supervisor gives the whole process."""


THREADS = 20
"""Of a web process: more than the calls to one module that it makes at once or that wait for that
(`CALLS_AT_ONCE`, twice), so that some are left for calls that come in meanwhile, perhaps from that
module; and more than those it serves (`SERVES_AT_ONCE`), so that some are left to refuse what is
too much.
"""


class Web(NamedTuple):
    """How the web process listens."""

    host: str
    port: int
    threads: int


def serve(*, server: str, web: Web, project: Project) -> None:
    """Serve until SIGTERM or SIGINT; running requests are answered first."""
    sys.path.insert(0, str(project.folder))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", project.settings)
    {"granian": _granian, "gunicorn": _gunicorn}[server](web)


def _application(parent: int) -> Any:
    end_with_parent(parent=parent)
    from django.core.servers.basehttp import get_internal_wsgi_application

    return get_internal_wsgi_application()


def _granian(web: Web) -> None:
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    Server(
        "monolift",
        address=web.host,
        port=web.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=web.threads,
        websockets=False,
        workers_kill_timeout=DRAIN,
        log_level=LogLevels.warning,
        log_dictconfig=_LOGGING,
    ).serve(target_loader=partial(_application, os.getpid()), wrap_loader=False)


def _gunicorn(web: Web) -> None:
    from gunicorn.app.base import BaseApplication

    class Application(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
        def load_config(self) -> None:
            host = f"[{web.host}]" if ":" in web.host else web.host
            for name, value in {
                "bind": f"{host}:{web.port}",
                "workers": 1,
                "worker_class": "gthread",
                "threads": web.threads,
                "graceful_timeout": DRAIN,
                "proc_name": "monolift web",
                "logconfig_dict": _LOGGING,
                "control_socket_disable": True,
            }.items():
                if name in self.cfg.settings:  # some came with later versions
                    self.cfg.set(name, value)

        def load(self) -> Any:
            return _application(master)

    master = os.getpid()
    Application(prog="monolift").run()


_LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "monolift.supervise.lines.JsonFormatter"}},
    "filters": {"meant": {"()": lambda: threads_are_meant}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["meant"]}
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "_granian": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "granian.access": {"handlers": [], "level": "WARNING", "propagate": False},
        "gunicorn.error": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "gunicorn.access": {"handlers": [], "level": "WARNING", "propagate": False},
    },
}
