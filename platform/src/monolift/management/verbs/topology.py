"""Show where each module runs, check that it can, and explain what a call to one would do.

All of that is offline: no deployable is asked. `check` ends with status 1 when something is
missing, or the file differs from the truth row. `raise` puts the row in force again, after it was
restored from a backup that is older than what the others know.
"""

import argparse
from collections.abc import Iterator
from typing import Any

from monolift.management.errors import VerbError

NEEDS_DJANGO = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    from monolift.management.choices import add_format

    below = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = below.add_parser("show", help="the topology in force, module by module")
    add_format(show)
    check = below.add_parser("check", help="what this deployable lacks to reach the others")
    add_format(check)
    explain = below.add_parser("explain", help="what a call to a module does from here, and why")
    explain.add_argument("module", help="the module's label: inventory")
    add_format(explain)
    above = below.add_parser("raise", help="the row again, under an epoch above what others know")
    above.add_argument(
        "--above", type=int, metavar="EPOCH", required=True, help="the latest that somebody knows"
    )


def run(options: argparse.Namespace) -> int:
    """Do it."""
    if options.action == "check":
        return _check(options)
    if options.action == "raise":
        print(_raise(options.above))
        return 0
    print(_show(options) if options.action == "show" else _explain(options))
    return 0


def _show(options: argparse.Namespace) -> str:
    from monolift.management.output import as_json, columns
    from monolift.registry.modules import modules
    from monolift.registry.places import here
    from monolift.registry.topology import topology

    current = topology()
    rows = [
        {
            "module": label,
            "owner": module.owner,
            "deployable": current.place(label).deployable,
            "route": current.place(label).route,
            "database": current.place(label).alias if current.hosts(label) else "",
        }
        for label, module in sorted(modules().items())
    ]
    if options.format == "json":
        return as_json({"epoch": current.epoch, "here": here(), "modules": rows})
    titles = ("module", "owner", "deployable", "route", "database")
    head = f"Epoch {current.epoch}, seen from the deployable {here()!r}.\n\n"
    return head + columns(titles, [list(row.values()) for row in rows])


def _raise(above: int) -> str:
    from monolift.registry.places import here
    from monolift.registry.topology import topology
    from monolift.truth import row
    from monolift.truth.follow import spread

    if topology().control != here():
        raise VerbError(
            f"The truth row is in the deployable {topology().control!r}, and this is {here()!r}."
        )
    try:
        document = row.again(above=above)
    except row.Overtaken as error:
        raise VerbError(str(error)) from None
    not_told = "".join(f"\n{name}: {why}" for name, why in sorted(spread(document).items()))
    return f"Epoch {document.epoch} is in force: what the row said before.{not_told}"


def _check(options: argparse.Namespace) -> int:
    from monolift.management.output import as_json
    from monolift.registry.modules import modules
    from monolift.registry.topology import topology

    problems = list(_problems())
    if options.format == "json":
        print(as_json({"epoch": topology().epoch, "problems": problems}))
    else:
        print("\n".join(problems) or f"{len(modules())} modules have a place that can be reached.")
    return 1 if problems else 0


def _problems() -> Iterator[str]:
    from monolift.registry.modules import modules
    from monolift.registry.topology import topology, urls
    from monolift.registry.topology_file import declared
    from monolift.transport.trust import keys, signer

    known = topology()
    file = declared()
    for label in sorted(modules()):
        before, now = file.place(label), known.place(label)
        if before.deployable != now.deployable:
            yield (
                f"{label}: the file says {before.deployable}, the truth row says "
                f"{now.deployable} (epoch {known.epoch}). Write it into the file, or move it back."
            )
        elif before.alias != now.alias:
            yield (
                f"{label}: the file says database {before.alias}, the truth row says {now.alias} "
                f"(epoch {known.epoch}). Write it into the file, or move it back."
            )
    keys()  # ImproperlyConfigured for one that is no good
    tried = {
        place.trial.deployable: label
        for label in modules()
        if (place := known.place(label)).here and place.trial is not None
    }
    for name in sorted({known.place(label).deployable for label in modules()} | tried.keys()):
        hosted = [label for label in modules() if known.place(label).deployable == name]
        hosted = hosted or [tried[name]]
        if name not in tried and all(known.hosts(label) for label in hosted):
            continue
        what = f"{', '.join(sorted(hosted))} in {name}"
        if name not in urls():
            yield f"{what}: no URL. Give [deployables.{name}] a url, or MONOLIFT['URLS'] one."
        if signer(name) is None:
            yield f"{what}: no key of ours to sign with. Add one to MONOLIFT['KEYS'] of both."


def _explain(options: argparse.Namespace) -> str:
    from monolift.management.output import as_json, columns, pairs
    from monolift.registry.modules import modules

    module = modules().get(options.module)
    if module is None:
        raise VerbError(
            f"There is no module {options.module!r}. Installed: {', '.join(sorted(modules()))}."
        )
    found = _explained(options.module)
    if options.format == "json":
        return as_json(found)
    calls = found.pop("calls")
    titles = ("operation", "kind", "deadline", "when no answer comes")
    parts = [pairs(found)]
    if calls:
        parts.append("\n" + columns(titles, [list(call.values()) for call in calls]))
    return "\n".join(parts)


def _explained(label: str) -> dict[str, Any]:
    from monolift.events.subscriptions import all_subscriptions
    from monolift.kernel import operations_of
    from monolift.kernel.saga import declared_sagas
    from monolift.registry.modules import modules
    from monolift.registry.places import here
    from monolift.registry.settings import setting
    from monolift.registry.topology import topology, urls

    known = topology()
    place = known.place(label)
    local = known.hosts(label)
    declared = known.deployables.get(place.deployable)
    mesh = declared is not None and declared.resilience == "mesh"
    listeners = {
        subscription.module
        for subscription in all_subscriptions()
        if subscription.event.event_owner == label
    }
    steps = [
        f"{saga.saga_name}.{step.name}"
        for saga in declared_sagas()
        for step in saga.saga_steps
        for operation in step.calls
        if operation.interface.interface_owner == label
    ]
    way = {
        "local": "in this process, directly",
        "loopback": "in this process, through the codec",
        **_trial_ways(place),
    }.get(place.route, f"signed HTTP to {urls().get(place.deployable, 'nobody: it has no URL')}")
    return {
        "module": label,
        "runs in": place.deployable,
        "seen from": here(),
        "epoch": known.epoch,
        "a call goes": way,
        "protected by": "-" if local else "the mesh" if mesh else _PROTECTIONS,
        "at once": "-" if local else f"{setting('CALLS_AT_ONCE')} calls of this process",
        "its tables": f"on {place.alias!r}" if local else f"in {place.deployable}, not here",
        "its events go to": ", ".join(
            f"{one} ({_how(known.place(one).deployable, place.deployable)})"
            for one in sorted(listeners)
        ),
        "saga steps that call it": ", ".join(dict.fromkeys(steps)),
        "calls": [
            {
                "operation": operation.name,
                "kind": operation.kind,
                "deadline": f"{operation.timeout:g} s",
                "without": _without(operation, local=local, mesh=mesh),
            }
            for interface in modules()[label].provides
            for operation in operations_of(interface).values()
        ],
    }


def _trial_ways(place: Any) -> dict[str, str]:
    """What a call does while a second deployable is on trial, seen from the module's own."""
    from monolift.registry.settings import setting

    if place.trial is None:
        return {}
    other, share = place.trial.deployable, f"{setting('SHADOW_RATE'):.0%}"
    return {
        "shadow": f"in this process; {share} of the queries are then asked of {other} as well, and "
        "the answers compared",
        "canary": f"{place.trial.percent}% by signed HTTP to {other}, the others in this process: "
        "by the command's key, else the request's id",
    }


_PROTECTIONS = "total deadline, retry budget, circuit breaker, bulkhead"


def _how(one: str, other: str) -> str:
    from monolift.registry.settings import setting

    return "same deployable" if one == other else f"in {one}, by {setting('STREAM')}"


def _without(operation: Any, *, local: bool, mesh: bool) -> str:
    if local:
        return "-"
    if mesh:
        return "left to the mesh"
    if operation.kind == "query":
        return "asked again"
    return "repeated under its key" if operation.keyed else "Unavailable: it may have happened"
