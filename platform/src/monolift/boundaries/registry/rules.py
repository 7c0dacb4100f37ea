"""The rules that are judged on the loaded models and the migrations."""

from monolift.boundaries.rules import rule

_ASK = (
    "Keep the other row's id as a plain field, and ask its owner through `interface.py`, bound in "
    "your `requires.py` with `use()`."
)
_JOIN = (
    "Ask the other module for the ids first and filter by them, or keep a copy of the column that "
    "the owner's events update."
)

FOREIGN_KEY = rule(
    "foreign-key",
    title="A foreign key to another module's table",
    why=(
        "The constraint ties two tables to one database, and `on_delete` lets one module delete "
        "rows of the other. Neither can be lifted while it stands."
    ),
    fix=_ASK + " `monolift loosen app.Model.field` does it in steps that can be reversed.",
).name
ONE_TO_ONE = rule(
    "one-to-one",
    title="A one-to-one relation to another module's table",
    why=(
        "It is a foreign key that is unique: one row in two modules, which one database must hold."
    ),
    fix=_ASK + " Make the plain field unique.",
).name
MANY_TO_MANY = rule(
    "many-to-many",
    title="A many-to-many relation to, or through, another module's table",
    why="The table between has a constraint to each side, so both modules need one database.",
    fix="Keep the pairs in a table of your own with the other side's id as a plain field.",
).name
GENERIC_FOREIGN_KEY = rule(
    "generic-foreign-key",
    title="A relation that may point into any table",
    why=(
        "Whoever follows it reads the tables of every module, by ids of content types that differ "
        "from one database to the next."
    ),
    fix="Keep a plain kind and id, and ask the module that owns the subject.",
).name
GENERIC_RELATION = rule(
    "generic-relation",
    title="A generic relation to another module's table",
    why="It reads, and deletes, the rows of the other module in the guise of an attribute.",
    fix="Ask the module that owns the rows, with your own ids; tell it of deletions by an event.",
).name
MODEL_INHERITANCE = rule(
    "model-inheritance",
    title="A model that inherits from another module's model",
    why=(
        "A proxy is the other module's table under a new name; a child shares its rows; an "
        "abstract parent decides the columns of a table that it does not own."
    ),
    fix=(
        "Make it a model of its own that keeps the other row's id. Move what several modules need "
        "into an abstract model that belongs to no module, or copy it."
    ),
).name
REVERSE_ACCESSOR = rule(
    "reverse-accessor",
    title="Another module's rows, read by a reverse accessor",
    why="`stock.line_set` is a query of the other module's table that looks like an attribute.",
    fix="Ask the module that owns the rows, with your own id.",
).name
LOOKUP = rule(
    "lookup",
    title="A lookup through another module's table",
    why="`order__customer__email` is a join across modules: after a lift there is no such join.",
    fix=_JOIN,
).name
MIGRATION_DEPENDENCY = rule(
    "migration-dependency",
    title="A migration that waits for another module's",
    why="Histories that wait for each other cannot be applied to two databases.",
    fix=(
        "Remove the relation it belongs to, then squash; change a migration that needs no order "
        "so that it names only its own app."
    ),
).name
MIGRATION_OPERATION = rule(
    "migration-operation",
    title="A migration that touches another module's tables",
    why="It changes, or relies on, tables that another module changes and that move away.",
    fix=(
        "Move what changes the tables into their owner's migrations. Fetch data through the "
        "owner's interface in a command or task, not in a migration."
    ),
).name
