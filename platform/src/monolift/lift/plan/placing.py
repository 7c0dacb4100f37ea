"""Writing a module's place into the topology's file, and leaving the rest of it alone."""

import re
import tomllib

from monolift.lift.moving import Blocked


def placed_text(text: str, module: str, *, deployable: str | None, database: str | None) -> str:
    """The file with another place of a module; None takes what was written there before a lift.

    Comments and order stay. Blocked when the file has no table of its own for the module.
    """
    header = re.search(rf"^\[modules\.{re.escape(module)}\][^\n]*\n", text, re.MULTILINE)
    if header is None:
        raise Blocked(
            f"The topology's file has no [modules.{module}]. Add it with the deployable it was in, "
            "then try again."
        )
    following = re.search(r"^\[", text[header.end() :], re.MULTILINE)
    end = header.end() + following.start() if following else len(text)
    lines = text[header.end() : end].splitlines(keepends=True)
    control = next(iter(tomllib.loads(text).get("deployables", {"shop": {}})))
    kept = [line for line in lines if not re.match(r"\s*(deployable|database)\s*=", line)]
    written = [f'deployable = "{deployable or control}"\n']
    if database is not None:
        written.append(f'database = "{database}"\n')
    return text[: header.end()] + "".join(written + kept) + text[end:]
