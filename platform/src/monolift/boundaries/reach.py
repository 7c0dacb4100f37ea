"""One import that crosses a boundary, and the sentence that says where to go instead."""

from typing import NamedTuple

from monolift.boundaries.permitted import CONTRACTS, EVENTS, INTERFACE, REQUIRES, SUBSCRIBERS
from monolift.boundaries.places import Place, shown, source_file


class Reach(NamedTuple):
    """One import that crosses a boundary where it may not."""

    importer: Place
    imported: Place
    line: int

    def told(self) -> tuple[str, str]:
        """What happened, and the way out."""
        importer, imported = self.importer, self.imported
        requires = f"{importer.folder}/{REQUIRES}.py"
        contract = f"{imported.module}.{INTERFACE}"
        message = f"{importer.name} imports {imported.name}: "
        if importer.part in CONTRACTS:
            message += "a contract names no other module."
            way_out = "Write a foreign id as its base type (UUID, str), named for its role."
        elif imported.part == INTERFACE:
            message += f"only {requires} names foreign interfaces."
            way_out = f"Bind it there with use(), and import the name from {importer.module}."
            way_out += f"{REQUIRES}."
        elif imported.part == EVENTS:
            message += "events are heard in handlers and sagas."
            way_out = f"Subscribe in {importer.folder}/handlers.py, or await the event in "
            way_out += f"{importer.folder}/sagas.py."
        else:
            message = f"{importer.name} reached into {imported.name}."
            way_out = f"Import {contract} in {requires}, and use that."
            if importer.part in SUBSCRIBERS:
                way_out = f"Import the event from {imported.module}.{EVENTS}, or {contract} in "
                way_out += f"{requires}, and use that."
        return message, way_out

    def sentence(self) -> str:
        """Both in one line, with the position before them."""
        message, way_out = self.told()
        path = source_file(name=self.importer.name)
        place = shown(path=path) if path else self.importer.name
        return f"{place}:{self.line}: {message} {way_out}"
