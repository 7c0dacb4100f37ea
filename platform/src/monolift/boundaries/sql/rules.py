"""The rules that the SQL guard enforces at run time."""

from monolift.boundaries.rules import rule

FOREIGN_TABLE = rule(
    "sql-table",
    title="A statement on a table of another module",
    why="The table's module cannot change its table any more without breaking code it does not "
    "know, its rules are passed by, and the day it has a database of its own the statement fails.",
    fix="Ask the owner through its interface, bound in requires.py with use(); to write, let it "
    "offer a command. What you need all the time, keep a copy of, from the owner's events.",
)
JOIN = rule(
    "sql-join",
    title="A join across modules",
    why="Two modules that meet in one statement must share a database for ever.",
    fix="Read your own rows, then ask the other module for the rest by their ids, all in one call.",
)
TRANSACTION = rule(
    "sql-transaction",
    title="One transaction that writes two modules",
    why="It is one commit only while both modules share a database; apart, one of the two writes "
    "can be lost.",
    fix="Write the other module's rows by its command, before the transaction or as a saga's step; "
    "or publish an event that it handles.",
)
