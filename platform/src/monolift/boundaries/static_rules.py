"""The rules that are judged on files alone, without Django."""

from monolift.boundaries.rules import rule

_ASK = (
    "Declare what you need as a query or command of the owner's `interface.py`, bind it in your "
    "`requires.py` with `use()`, and call that."
)

PRIVATE_IMPORT = rule(
    "private-import",
    title="An import of another module's insides",
    why=(
        "Everything of a module is private but its interface and its events. A caller that "
        "imports models or services breaks when they change, and cannot follow when the module "
        "is lifted into a process of its own. It counts in a function and under TYPE_CHECKING as "
        "well: what is only an annotation today is a call tomorrow."
    ),
    fix=(
        "Import the other module's `interface` in `requires.py`, and its `events` in "
        "`handlers.py` or `sagas.py`; nothing else, nowhere else. " + _ASK
    ),
).name
INDIRECT_IMPORT = rule(
    "indirect-import",
    title="An import of another module's insides through a helper",
    why=(
        "A helper outside the modules that imports one of them carries it to everyone who imports "
        "the helper: the boundary is crossed in two steps instead of one."
    ),
    fix=(
        "Move the part of the helper that needs the module into that module, or let the helper "
        "take what it needs as a parameter."
    ),
).name
IMPURE_CONTRACT = rule(
    "impure-contract",
    title="A contract file that imports a framework or other parts of its module",
    why=(
        "A contract travels alone to the other side of a lift. What it imports, every caller "
        "needs: a contract that imports Django makes a client of it a Django project, and one "
        "that imports its module's models hands them to every caller."
    ),
    fix=(
        "Keep `interface.py` and `events.py` plain Python, of which the events may import the "
        "interface; adapt in `services.py`."
    ),
).name
DEFAULT_DATABASE = rule(
    "default-database",
    title="Code that names the default database",
    why=(
        '`django.db.transaction`, `connection` and the alias "default" mean the default database. '
        "Once a module has a database of its own they commit, and fail to roll back, somewhere "
        "else, silently."
    ),
    fix=(
        "Write `from monolift import atomic` and `with atomic():`; for a statement by hand take "
        "`connections[Model.objects.db]`; leave `using` to the router."
    ),
).name
MODEL_BY_NAME = rule(
    "model-by-name",
    title="Another module's model, fetched by its name",
    why=(
        "`apps.get_model`, `apps.all_models` and content types reach a table as surely as an "
        "import does, but no import shows it. The table leaves when its module is lifted."
    ),
    fix=_ASK,
).name
DYNAMIC_IMPORT = rule(
    "dynamic-import",
    title="Another module's code, named by a string",
    why=(
        "A dotted path in a string is an import that no tool sees, until it fails at run time "
        "after the other module moved."
    ),
    fix=_ASK,
).name
TASK_NAME = rule(
    "task-name",
    title="Another module's task, enqueued by its name",
    why=(
        "A task's name and arguments are private: its owner renames it, or retries it otherwise, "
        "and who enqueues it loses work without an error."
    ),
    fix="Call a command that enqueues the task, or publish an event that its owner handles.",
).name
SIGNAL_SENDER = rule(
    "signal-sender",
    title="A receiver of another module's model signals",
    why=(
        "A model's signal is sent in its owner's process and transaction: the receiver runs "
        "there, slows it, fails it, and is silent after a lift."
    ),
    fix="Let the owner publish an event; handle it in `handlers.py`, once and durably.",
).name
URL_NAME = rule(
    "url-name",
    title="A URL of another module, built by its name",
    why="URL names are private to the module that serves them; after a lift they resolve nowhere.",
    fix=(
        "Let the owner answer with the address, or build the page in a module that puts others "
        "together (`bff` under [tool.monolift])."
    ),
).name
TEMPLATE = rule(
    "template",
    title="A template of another module",
    why="A template is rendered from its owner's data; whoever includes it depends on that shape.",
    fix=(
        "Copy what is needed, or move what all share into a template folder of no module. A "
        "module that puts pages together is named under `bff`."
    ),
).name
FOREIGN_SETTING = rule(
    "foreign-setting",
    title="A setting of another module",
    why="After a lift the two processes have settings of their own, and no one keeps them equal.",
    fix="Give each module its own setting, or ask the owner through its interface.",
).name
CACHE_KEY = rule(
    "cache-key",
    title="A cache key that begins with another module's name",
    why="A shared cache entry is a shared table without a schema.",
    fix="Begin keys with the module's own label; ask the owner for what it knows.",
).name
SQL_TEXT = rule(
    "sql-text",
    title="SQL on another module's table",
    why="A statement by hand reaches a table past every interface, and joins what will be parted.",
    fix=_ASK,
).name
CALL_CYCLE = rule(
    "call-cycle",
    title="Modules that call each other in a circle",
    why=(
        "Modules in a circle can only be lifted together, deploy together and fail together. "
        "Calls form a strict order, so that any module can be lifted at any time."
    ),
    fix=(
        "Let one of them publish an event that the other handles, or move what both need into "
        "the one below."
    ),
).name
AGAINST_THE_ORDER = rule(
    "against-the-order",
    title="A subscription against the order of calls",
    why=(
        "A module that hears events of one that calls it is coupled both ways. It is allowed, "
        "since events wait, but it is a decision and is written down with its reason."
    ),
    fix=(
        'List it: [tool.monolift.against.SUBSCRIBER] PUBLISHER = "why". Or let the publisher '
        "call a command instead."
    ),
).name
EVENT_LOOP = rule(
    "event-loop",
    title="Events that cause each other in a circle",
    why="An event whose handling leads to the same event again never comes to rest.",
    fix="Break the circle: let one of the handlers end without publishing.",
).name
NO_OWNER = rule(
    "owner",
    title="A module that nobody owns",
    why="A finding, an alert and a failed event need someone who acts.",
    fix='Write `owner = "team-..."` in the AppConfig, or under [tool.monolift.owners].',
).name
SYNTAX = rule(
    "unreadable",
    title="A file that cannot be parsed",
    why="What cannot be read cannot be judged, so it would hide every other violation in it.",
    fix="Correct the file.",
).name
ARCHITECTURE = rule(
    "import-linter",
    title="A broken contract of `.importlinter`",
    why="The project declared this contract itself; its comment there says why.",
    fix="Read the contract in `.importlinter`, and remove the imports that are listed.",
).name
