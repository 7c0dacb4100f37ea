"""The kinds of coupling, how hard each is to undo, and how it is undone."""

import msgspec


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which a module depends on another."""

    name: str
    title: str
    """Plural, as a heading."""
    one: str
    """Singular."""
    cost: int
    """How hard one is to undo, next to an import, which is 1."""
    why: str
    """Why it is as hard as that."""
    way_out: str


KINDS: tuple[Kind, ...] = (
    Kind(
        name="import",
        title="imports",
        one="import",
        cost=1,
        why="A line, and what is called through it.",
        way_out="Let the other module offer what you need as a function or an interface that takes "
        "and returns plain values, and import only that.",
    ),
    Kind(
        name="foreign-key",
        title="foreign keys",
        one="foreign key",
        cost=5,
        why="A column, a constraint, a migration, and every query through it.",
        way_out="Keep the id as a plain field without a constraint and ask the other module for "
        "the rest; `on_delete` becomes an event or a call.",
    ),
    Kind(
        name="many-to-many",
        title="many to many",
        one="many to many",
        cost=8,
        why="A table between two modules, its migration, and every query through it.",
        way_out="Keep the pairs in a table of your own with the other side's id as a plain field.",
    ),
    Kind(
        name="inheritance",
        title="inherited models",
        one="inherited model",
        cost=13,
        why="Two modules share rows; data has to move.",
        way_out="Make it a model of its own that keeps the other row's id; move what both need "
        "into an abstract model outside the modules.",
    ),
    Kind(
        name="generic",
        title="generic relations",
        one="generic relation",
        cost=5,
        why="It may point into any table.",
        way_out="Keep a plain kind and id, and ask the module that owns the subject.",
    ),
    Kind(
        name="reverse-accessor",
        title="reverse accessors",
        one="reverse accessor",
        cost=2,
        why="A query of another module's table in the guise of an attribute.",
        way_out="Ask the module that owns the rows, with your own id.",
    ),
    Kind(
        name="lookup",
        title="lookups",
        one="lookup",
        cost=3,
        why="A join across modules, which has to become two queries.",
        way_out="Ask the other module for the ids first and filter by those, or keep a copy of the "
        "column that its events update.",
    ),
    Kind(
        name="migration",
        title="migrations",
        one="migration",
        cost=1,
        why="An order between two histories; it goes away with the relation that made it.",
        way_out="Remove the relation it belongs to, then squash; a migration that changes another "
        "module's tables moves into that module.",
    ),
    Kind(
        name="dynamic",
        title="code by name",
        one="code by name",
        cost=2,
        why="An import that no tool follows.",
        way_out="Ask the other module through an interface; a registry that modules enter "
        "themselves into replaces names in a list.",
    ),
    Kind(
        name="task",
        title="tasks by name",
        one="task by name",
        cost=1,
        why="A call of another module's task.",
        way_out="Call a function of the other module that enqueues its own task, or publish an "
        "event.",
    ),
    Kind(
        name="signal",
        title="signals",
        one="signal",
        cost=3,
        why="It runs inside the other module's transaction.",
        way_out="Let the module that writes publish an event, and handle that after its commit.",
    ),
    Kind(
        name="url",
        title="URLs",
        one="URL",
        cost=1,
        why="A name in another module's urls.py.",
        way_out="Take the address from the other module's answer or from a setting.",
    ),
    Kind(
        name="template",
        title="templates",
        one="template",
        cost=2,
        why="A page that renders another module's objects.",
        way_out="Move shared templates where they belong to no module; copy the rest.",
    ),
    Kind(
        name="setting",
        title="settings",
        one="setting",
        cost=1,
        why="One value.",
        way_out="Have a setting of your own, or ask the other module.",
    ),
    Kind(
        name="cache-key",
        title="cache keys",
        one="cache key",
        cost=2,
        why="Two modules have to agree on a value's shape and age.",
        way_out="Let the other module keep its own cache, and ask it.",
    ),
    Kind(
        name="sql",
        title="SQL",
        one="SQL",
        cost=8,
        why="Another module's columns in text that no tool checks.",
        way_out="Let the module that owns the table run the statement, behind a function.",
    ),
)


def several(name: str, count: int) -> str:
    """So many of a kind: `2 foreign keys`."""
    kind = BY_NAME[name]
    return f"{count:,} {kind.one if count == 1 else kind.title}"


BY_NAME = {kind.name: kind for kind in KINDS}

OF_RULE = {
    "private-import": "import",
    "model-inheritance": "inheritance",
    "reverse-accessor": "reverse-accessor",
    "lookup": "lookup",
    "migration-dependency": "migration",
    "migration-operation": "migration",
    "foreign-key": "foreign-key",
    "one-to-one": "foreign-key",
    "many-to-many": "many-to-many",
    "generic-relation": "generic",
    "generic-foreign-key": "generic",
    "model-by-name": "dynamic",
    "dynamic-import": "dynamic",
    "task-name": "task",
    "signal-sender": "signal",
    "url-name": "url",
    "template": "template",
    "foreign-setting": "setting",
    "cache-key": "cache-key",
    "sql-text": "sql",
}

TOLD_BY_DJANGO = frozenset(
    ("foreign-key", "one-to-one", "many-to-many", "generic-relation", "generic-foreign-key")
)
"""Rules whose violations the loaded models tell better than the files do: with swapped models, and
what comes from abstract ones."""
