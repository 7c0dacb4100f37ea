"""Move a model to another app, with its table, its rows and everything that names it.

    monolift move-model shop.Stock --to inventory --settings mysite.settings

The class moves with what only it uses. Imports, string references, relations, permissions and admin
URLs in the project name the new place; what cannot be rewritten with certainty is listed with file
and line. The migrations change Django's state and leave the table alone, keep the ids of content
types and permissions, and can be taken back. Existing migrations are not changed.
"""

import argparse

NEEDS_DJANGO = False  # it loads the project itself, which need not have monolift installed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, its new app and the options of codemods."""
    from monolift.management.codemods import add_options

    parser.add_argument("model", metavar="APP.MODEL", help="the model, as in shop.Stock")
    parser.add_argument("--to", metavar="APP", required=True, help="label of the app it goes to")
    parser.add_argument(
        "--rename-table",
        action="store_true",
        help="also give the table the name Django would give it there (default: keep it)",
    )
    add_options(parser)


def run(options: argparse.Namespace) -> int:
    """Move it."""
    from monolift.management.codemods import finish, open_project, refusals

    with refusals():
        tree = open_project(options)
        from monolift.codemods.move import move_model

        done = move_model(
            options.model, to=options.to, tree=tree, rename_table=options.rename_table
        )
        lines = []
        if done.along:
            lines.append(f"Moved along: {', '.join(done.along)}.")
        if done.left:
            lines.append(f"Stayed, and is imported: {', '.join(done.left)}.")
        lines.append(f"Migrations, in this order: {', '.join(done.migrations)}.")
        return finish(tree, options, lines)
