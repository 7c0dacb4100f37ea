"""A statement's shape: its text without values, so that statements of one kind share one entry."""

import re

_PARTS = r"""
      (?P<kept>     "(?:[^"]|"")*" | `[^`]*` )
    | (?P<text>     \b[eE]'(?:[^'\\]|''|\\.)*' | (?:\b[xXbBnN])?'(?:[^']|'')*'
                  | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$ )
    | (?P<space>    (?: \s | --[^\n]* | /\*.*?\*/ )+ )
    | (?P<value>    %s | %\(\w+\)s | \$\d+ | QMARK
                    (?<![\w.])(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\b )
    | (?P<percent>  %% )
    | (?P<word>     \w+ )
"""
_FLAGS = re.VERBOSE | re.DOTALL
_ELSEWHERE = re.compile(_PARTS.replace("QMARK", r"\?\d* |"), _FLAGS)
_ON_POSTGRESQL = re.compile(_PARTS.replace("QMARK", ""), _FLAGS)
"""There `?` is no parameter but an operator, alone and in `?|`, `?&` and `@?`."""
_ITEM = r"(?:-?0|'x'|NULL|TRUE|FALSE|DEFAULT)(?:::\w+(?:\[\])?)?"
_LIST = re.compile(
    rf"(?:(?<=\bIN)|(?<=\bVALUES)|(?<!\w))\( ?{_ITEM}(?: ?, ?{_ITEM})* ?\)", re.IGNORECASE
)
_ROWS = re.compile(r"(\((?:[^()]|\([^()]*\))*\))(?: ?, ?\1)+")
_CASES = re.compile(r"( WHEN \([^()]*\) THEN (?:[^ ()]|\([^()]*\))+)\1+")


def shape(sql: str, *, vendor: str) -> str:
    """The statement without comments, literals and parameters, and with lists of one value.

    What is left can still be parsed, and holds nothing that anybody entered. `vendor` is Django's
    name of the database.
    """
    tokens = _ON_POSTGRESQL if vendor == "postgresql" else _ELSEWHERE
    text = tokens.sub(_plain, sql).strip(" ;")
    text = _LIST.sub("(0)", text)
    text = _ROWS.sub(r"\1", text)
    return _CASES.sub(r"\1", text)


def _plain(token: "re.Match[str]") -> str:
    match token.lastgroup:
        case "text":
            return "'x'"
        case "space":
            return " "
        case "value":
            return "0"
        case "percent":
            return "%"
        case _:
            return token.group()
