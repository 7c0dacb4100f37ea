"""The library's Django app: verbs, checks, and the place where its parts are put together."""

from importlib import import_module
from typing import TYPE_CHECKING

from django.apps import AppConfig, apps
from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from monolift.registry.proxies import Binding, Methods


class MonoliftConfig(AppConfig):
    """Install as `monolift`. Add `monolift.db` for events, tasks, sagas and idempotency keys."""

    name = "monolift"
    label = "monolift"

    def ready(self) -> None:
        """Connect the declarations of the modules with what carries them out."""
        from django.db.models.signals import pre_migrate

        from monolift.boundaries.registry.system_checks import register_model_checks
        from monolift.boundaries.sql.guard import watch_connections
        from monolift.boundaries.sql_checks import register_sql_checks
        from monolift.events.upkeep import register_look, register_purge
        from monolift.events.worker import register_companion, register_source
        from monolift.kernel.saga import install_runtime, on_saga_declared
        from monolift.registry.proxies import register_adapter
        from monolift.registry.sql import equip_open_connections
        from monolift.registry.topology import decide_by
        from monolift.registry.transactions import remember_open_connections
        from monolift.sagas import arrivals, record, retention, runtime
        from monolift.transport import local, loopback, trust
        from monolift.truth import learning

        remember_open_connections()
        equip_open_connections()
        watch_connections()
        register_sql_checks()
        register_model_checks()
        trust.register_key_check()
        register_adapter("local", local.build)
        register_adapter("loopback", loopback.build)
        register_adapter("http", _http)
        register_adapter("rehearsed", _rehearsed)
        register_adapter("shadow", _on_trial("shadow"))
        register_adapter("canary", _on_trial("canary"))
        if apps.is_installed("monolift.db"):
            register_companion(_watchdog)
            pre_migrate.connect(_refuse_migrations, sender=apps.get_app_config("monolift_db"))
            decide_by(learning.at_start, renew=learning.look_again)
        install_runtime(runtime.Runtime())
        on_saga_declared(arrivals.subscribe_saga)
        register_source(runtime.run_next)
        register_look(record.tell_unknown)
        register_purge(retention.purge_old)
        import_module("monolift.events.streams.arrive")  # a worker runs its task


def _refuse_migrations(**told: object) -> None:
    """Loaded when something is migrated."""
    import_module("monolift.lift.plan.migrating").refuse_migrations(**told)


def _watchdog(stopping: "Event") -> None:
    """Loaded in workers only."""
    import_module("monolift.lift.plan.watchdog").watch(stopping)


def _rehearsed(binding: "Binding") -> "Methods":
    """Loaded by the first call that is rehearsed."""
    methods: Methods = import_module("monolift.lift.rehearsal.adapter").build(binding)
    return methods


def _on_trial(mode: str) -> "Callable[[Binding], Methods]":
    """Loaded by the first call while a second deployable is on trial."""

    def build(binding: "Binding") -> "Methods":
        methods: Methods = import_module(f"monolift.lift.routing.{mode}").build(binding)
        return methods

    return build


def _http(binding: "Binding") -> "Methods":
    """Loaded by the first call to another deployable: who has one deployable needs no client."""
    try:
        build = import_module("monolift.transport.http").build
    except ModuleNotFoundError as error:
        if error.name != "urllib3":
            raise
        raise ImproperlyConfigured(
            f"{binding.module} runs in another deployable, and urllib3, which reaches it, is not "
            "installed. Install monolift[http]."
        ) from None
    methods: Methods = build(binding)
    return methods
