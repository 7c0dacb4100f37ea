"""Show where each module runs and on which database."""

import argparse

NEEDS_DJANGO = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    from monolift.management.choices import add_format

    below = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = below.add_parser("show", help="the topology in force, module by module")
    add_format(show)


def run(options: argparse.Namespace) -> int:
    """Show it."""
    from monolift.management.output import as_json, columns
    from monolift.registry.modules import modules
    from monolift.registry.topology import here, topology

    current = topology()
    rows = [
        {
            "module": label,
            "owner": module.owner,
            "deployable": current.place(label).deployable,
            "route": current.place(label).route,
            "database": current.place(label).alias,
        }
        for label, module in sorted(modules().items())
    ]
    if options.format == "json":
        print(as_json({"epoch": current.epoch, "here": here(), "modules": rows}))
        return 0
    print(f"Epoch {current.epoch}, seen from the deployable {here()!r}.\n")
    titles = ("module", "owner", "deployable", "route", "database")
    print(columns(titles, [list(row.values()) for row in rows]))
    return 0
