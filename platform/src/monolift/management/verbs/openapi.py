"""Describe a module's interface as an OpenAPI document, for a caller or a service elsewhere.

Of the interface that it provides; a module with several writes the one that `--interface` names.
"""

import argparse
from pathlib import Path

from monolift.management.errors import VerbError

NEEDS_DJANGO = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("module", help="the module's label: inventory")
    parser.add_argument("--interface", metavar="NAME", help="its wire name: inventory.inventory.v1")
    parser.add_argument("--output", metavar="FILE", type=Path, help="write it there")


def run(options: argparse.Namespace) -> int:
    """Print it, or write it."""
    from monolift.contracts.openapi import document
    from monolift.contracts.schema import ContractError
    from monolift.management.output import as_json
    from monolift.registry.modules import modules
    from monolift.registry.topology import topology, urls

    module = modules().get(options.module)
    if module is None:
        raise VerbError(
            f"There is no module {options.module!r}. Installed: {', '.join(sorted(modules()))}."
        )
    found = {one.interface_name: one for one in module.provides}
    name = options.interface or (next(iter(found)) if len(found) == 1 else None)
    if name not in found:
        provided = f"It provides {', '.join(sorted(found))}." if found else "It provides none."
        raise VerbError(f"Which interface of {options.module}? {provided}")
    url = urls().get(topology().place(options.module).deployable, "")
    if not url.startswith("http"):
        url = ""  # a registry knows it
    try:
        text = as_json(document(found[name], url=url))
    except ContractError as error:
        raise VerbError(str(error)) from None
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    else:
        print(text)
    return 0
