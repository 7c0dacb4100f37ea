"""What a change of a contract breaks: the table.

The two sides of a contract are deployed at different times, in either order, and are both there
during every rolling deploy. What was written stays: an event in the outbox, the answer under an
idempotency key, the state of a saga, a timer. So the question is the same everywhere: can the new
code read what the old code wrote, **and** the old code what the new code writes? SAFE means that
it can, both ways, with every value that both know unchanged. What was only added is missing on the
older side, which the codec allows: it skips unknown fields and fills in defaults.

Arguments, answers, errors, events and states therefore follow the same rules. There is no
`safe when widened`: an older reader refuses what a newer writer may now write.

Verdicts are about the wire. That a field keeps its name and changes its meaning, no tool sees.
"""

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """Whether both sides still understand each other while both versions run."""

    SAFE = "SAFE"
    BREAKING = "BREAKING"


class Rule(NamedTuple):
    """One kind of change: the verdict, the reason, and what to do."""

    change: str
    verdict: Verdict
    why: str
    way_out: str


_NEW_VERSION = "Declare version {next} beside version {version}."
_ADD_BESIDE = f"Add a field with a default beside it, or: {_NEW_VERSION}"
_REMOVE = (
    "Remove in three phases: nothing uses it any more; that is deployed everywhere and what was "
    "stored before is gone; then remove it, and write the reason into {accepted}."
)
_CALLEE_FIRST = "Deploy the module before the callers that use it."

SAFE, BREAKING = Verdict.SAFE, Verdict.BREAKING

RULES: dict[str, Rule] = {
    # Contracts
    "contract added": Rule("A contract is added", SAFE, "Nobody uses it yet.", ""),
    "contract removed": Rule(
        "A contract is removed", BREAKING, "Older code and stored rows still name it.", _REMOVE
    ),
    "contract renamed": Rule(
        "A contract has another wire name",
        BREAKING,
        "Older code and stored rows know it by the old one.",
        "Put {keep} into the class statement to keep the wire name.",
    ),
    "owner": Rule(
        "A contract has another owner module",
        BREAKING,
        "Calls, order and stored rows are found by the module.",
        _NEW_VERSION,
    ),
    "version": Rule(
        "A contract has another version under the same wire name",
        BREAKING,
        "The two could not be told apart.",
        "Give the new version a wire name of its own, and keep the old one beside it.",
    ),
    # Operations
    "operation added": Rule(
        "An operation is added", SAFE, "An older module answers CallFailed to it.", _CALLEE_FIRST
    ),
    "operation removed": Rule(
        "An operation is removed or renamed", BREAKING, "Older callers still call it.", _REMOVE
    ),
    "kind": Rule(
        "A query becomes a command, or the reverse",
        BREAKING,
        "One side would repeat, without a key, what the other does once.",
        "Add an operation beside it.",
    ),
    "external": Rule(
        "`external` changes",
        BREAKING,
        "The key rows of calls under way are written in the other way.",
        "Add an operation beside it.",
    ),
    "timeout": Rule("The timeout changes", SAFE, "Each caller waits as long as it knows.", ""),
    # Errors
    "error added": Rule(
        "An error is added to `raises`",
        SAFE,
        "An older caller gets CallFailed in its place.",
        "Declare it in one release, raise it from the next.",
    ),
    "error removed": Rule(
        "An error is removed from `raises`, or its code changes",
        BREAKING,
        "An older module still raises it; a newer caller gets CallFailed and cannot handle it.",
        f'If it was renamed, put code="{{code}}" to keep the wire code. {_REMOVE}',
    ),
    "status": Rule(
        "An error has another status",
        BREAKING,
        "Clients at the edge act on it.",
        "Declare another error beside it.",
    ),
    # Data
    "field added with a default": Rule(
        "A field or argument is added, with a default",
        SAFE,
        "Older code skips it: until it is deployed, the value is not heard.",
        "Deploy what reads it before what writes it.",
    ),
    "field added without a default": Rule(
        "A field or argument is added, without a default",
        BREAKING,
        "What older code writes, and what is stored, lacks it.",
        "Give the new field a default.",
    ),
    "field added to a closed struct": Rule(
        "A field is added to a struct that forbids unknown fields",
        BREAKING,
        "Older code refuses it.",
        f"Take forbid_unknown_fields away in a release of its own, or: {_NEW_VERSION}",
    ),
    "field removed": Rule(
        "A field or argument is removed or renamed",
        BREAKING,
        "Older code still needs it, or still sends it and is not heard.",
        f"If it was renamed, give it its old name back. {_REMOVE}",
    ),
    "default added": Rule("A field gets a default", SAFE, "It is still written every time.", ""),
    "default added where omitted": Rule(
        "A field gets a default in a struct with omit_defaults",
        BREAKING,
        "Newer code leaves it out, and older code needs it.",
        "Keep the field required.",
    ),
    "default removed": Rule(
        "A field loses its default",
        BREAKING,
        "What was written before the field existed lacks it.",
        "Keep the default.",
    ),
    "default changed": Rule(
        "A default changes",
        SAFE,
        "It is written every time; only what was written before the field existed reads anew.",
        "",
    ),
    "default changed where omitted": Rule(
        "A default changes in a struct with omit_defaults",
        BREAKING,
        "It was never written, so each side reads its own.",
        "Keep the default.",
    ),
    "omit defaults": Rule(
        "`omit_defaults` is switched on",
        SAFE,
        "Both sides fill in the same defaults.",
        "",
    ),
    "type": Rule(
        "A type changes, also one that gets wider or narrower",
        BREAKING,
        "One side writes what the other refuses or reads as something else.",
        _ADD_BESIDE,
    ),
    "null": Rule(
        "None becomes possible or impossible",
        BREAKING,
        "One side writes null where the other refuses it.",
        _ADD_BESIDE,
    ),
    "choice added": Rule(
        "A member is added to an enum or a Literal",
        BREAKING,
        "Older code refuses what it does not know.",
        _ADD_BESIDE,
    ),
    "choice removed": Rule(
        "A member of an enum or a Literal is removed, or has another value",
        BREAKING,
        "Older code and stored rows still hold it.",
        _REMOVE,
    ),
    "union": Rule(
        "A type is added to a union or removed from it",
        BREAKING,
        "One side writes what the other refuses.",
        _ADD_BESIDE,
    ),
    "limit": Rule(
        "A limit changes (length, range, pattern, timezone), also to a wider one",
        BREAKING,
        "The stricter side refuses what the other writes.",
        "Check the new limit in the implementation, and refuse with a declared error.",
    ),
    "closed": Rule(
        "`forbid_unknown_fields` is switched on or off",
        SAFE,
        "Both sides know the same fields.",
        "Deploy it before the next field is added.",
    ),
    "renamed type": Rule(
        "A Dto or an enum has another class name",
        SAFE,
        "Class names are not on the wire, except as the tag of a union.",
        "",
    ),
    # Events
    "key": Rule(
        "An event has another key",
        BREAKING,
        "Order is kept by key: events under way and new ones would be in different lanes.",
        _NEW_VERSION,
    ),
    # Sagas
    "steps": Rule(
        "A step is added, removed, renamed or moved",
        BREAKING,
        "A saga under way stands at the number of a step, and its history names steps.",
        _NEW_VERSION,
    ),
    "step kind": Rule(
        "A step works in another way: own tables, calls, waiting, pivot",
        BREAKING,
        "A saga under way may have begun it in the old way.",
        _NEW_VERSION,
    ),
    "step commands": Rule(
        "A step commands something else",
        BREAKING,
        "A saga under way may repeat it under the key of the old command.",
        _NEW_VERSION,
    ),
    "step queries": Rule("A step reads something else", SAFE, "Reading leaves nothing behind.", ""),
    "undo added": Rule("A step gets an undo", SAFE, "Undoing nothing must be harmless.", ""),
    "undo removed": Rule(
        "A step loses its undo",
        BREAKING,
        "A saga under way may have to take the step back.",
        _NEW_VERSION,
    ),
    "within": Rule("A step waits for another time", SAFE, "Each wait keeps its end.", ""),
    "attempts": Rule("A saga has another number of attempts", SAFE, "It counts from now on.", ""),
}
"""Every kind of change there is; `compare` finds no other."""


class Change(NamedTuple):
    """One difference between two snapshots of a contract."""

    contract: str
    rule: str
    words: str
    way_out: str

    @property
    def verdict(self) -> Verdict:
        """SAFE or BREAKING."""
        return RULES[self.rule].verdict

    @property
    def why(self) -> str:
        """The reason in one sentence."""
        return RULES[self.rule].why
