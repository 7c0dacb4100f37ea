"""Loosen a foreign key, one step at a time, so that its model can live in another database.

    monolift loosen orders.Line.product --settings mysite.settings

The first run takes the constraint off the database (`db_constraint=False`). The second makes the
relation a plain field, `product_id`, on the same column with the same index. Each step is a
migration of its own that can be taken back. The second rewrites what is certain and lists every
place that has to change, and both say what `on_delete` did and what has to do it from now on.
"""

import argparse

NEEDS_DJANGO = False  # it loads the project itself, which need not have monolift installed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the field and the options of codemods."""
    from monolift.management.codemods import add_options

    parser.add_argument(
        "field", metavar="APP.MODEL.FIELD", help="the relation, as in orders.Line.product"
    )
    add_options(parser)


def run(options: argparse.Namespace) -> int:
    """Take the next step."""
    from monolift.management.codemods import finish, open_project, refusals

    with refusals():
        tree = open_project(options)
        from monolift.codemods.loosen import loosen

        done = loosen(options.field, tree=tree)
        return finish(tree, options, [done.step, "", *done.advice, f"Migration: {done.migration}."])
