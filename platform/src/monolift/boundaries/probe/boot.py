"""Start Django for a project that is only looked at."""

import importlib
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from monolift.boundaries.faults import place, said
from monolift.boundaries.probe.errors import ProbeError

_HOW = "Run monolift probe in the project's folder, with the environment the project runs in."


def start(*, settings: str, root: Path) -> list[str]:
    """Import the settings and load the apps; what failed on the way without being needed.

    Logging is not configured and every cache is a dummy, so that no file and no server is touched.
    Raises ProbeError.
    """
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    _import_settings(settings, root)
    from django.apps import apps
    from django.conf import settings as configured

    notes: list[str] = []
    try:
        configured.LOGGING_CONFIG = None
        configured.CACHES = {
            alias: {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
            for alias in configured.CACHES
        }
        import django

        django.setup(set_prefix=False)
    except (Exception, SystemExit) as error:
        if not apps.models_ready:
            raise ProbeError(_told(error, root)) from None
        notes.append(
            f"{place(error, root)}: {said(error)} in an app's ready(). What ready() registers "
            "is not seen from here on."
        )
        apps.ready = True
    return notes


def _import_settings(settings: str, root: Path) -> None:
    try:
        importlib.import_module(settings)
    except ModuleNotFoundError as error:
        if error.name and (settings == error.name or settings.startswith(f"{error.name}.")):
            raise ProbeError(
                f"There is no settings module {settings!r} in {root}. {_HOW}"
            ) from None
        raise ProbeError(f"{place(error, root)}: {said(error)}. {_HOW}") from None
    except (Exception, SystemExit) as error:
        raise ProbeError(
            f"{place(error, root)}: the settings {settings} fail to import: {said(error)}. {_HOW}"
        ) from None


def _told(error: BaseException, root: Path) -> str:
    app = _app(error.__traceback__)
    while_what = f"the app {app} cannot be loaded" if app else "the apps cannot be loaded"
    return f"{place(error, root)}: {while_what}: {said(error)}. {_HOW}"


def _app(trace: TracebackType | None) -> str:
    """The app that Django was loading, as its own frames know it."""
    found = ""
    while trace is not None:
        frame = trace.tb_frame
        local: dict[str, Any] = frame.f_locals
        if frame.f_globals.get("__name__") == "django.apps.config":
            if frame.f_code.co_name == "create":
                found = str(local.get("entry", found))
            elif frame.f_code.co_name == "import_models":
                found = str(getattr(local.get("self"), "name", found))
        trace = trace.tb_next
    return found
