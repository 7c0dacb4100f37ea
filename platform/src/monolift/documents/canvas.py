"""The canvas of a module: what it provides, requires, announces, hears and owns."""

from monolift.contracts.snapshots import of_interface, of_saga, of_task, path_of
from monolift.documents import data, mermaid
from monolift.documents.compositions import compositions
from monolift.documents.facts import Heard, Landscape, ModuleFacts
from monolift.documents.markdown import anchor, code, codes, fence, link, page, prose, table
from monolift.documents.places import Places
from monolift.documents.spelling import (
    doc_of,
    first_sentence,
    function_text,
    signature_text,
    types_in,
    types_of_fields,
)
from monolift.kernel import Event, Operation, Saga, operations_of


def path(label: str) -> str:
    """Where a module's canvas is, below the folder of the pages."""
    return f"modules/{label}.md"


def canvas(landscape: Landscape, module: ModuleFacts, places: Places) -> str:
    """The page of one module."""
    return _Canvas(landscape, module, places).text()


class _Canvas:
    def __init__(self, landscape: Landscape, module: ModuleFacts, places: Places) -> None:
        self._landscape = landscape
        self._module = module
        self._places = places
        self._page = path(module.label)

    def text(self) -> str:
        module = self._module
        diagram = mermaid.neighbours_of(self._landscape, module.label)
        return page(
            f"# {module.label}",
            prose(module.about),
            self._overview(),
            fence(diagram, "mermaid") if diagram else "",
            "## Provides",
            *(self._provided() or ["Nothing: no other module calls it."]),
            "## Requires",
            self._required() or "Nothing: it calls no other module.",
            "## Publishes",
            self._published() or "No events.",
            "## Subscribes",
            self._heard() or "To nothing.",
            "## Owns",
            self._tables() or "No tables.",
            "## Sagas",
            self._sagas() or "None.",
            "## Tasks",
            self._tasks() or "None.",
            *compositions(module, self._link),
            "## Settings",
            codes(module.settings) + "." if module.settings else "It reads none.",
            "[The map](../README.md) · [Events](../events.md) · [Sagas](../sagas.md)",
        )

    def _overview(self) -> str:
        module = self._module
        calls = [other for caller, other in self._landscape.calls if caller == module.label]
        called = [caller for caller, other in self._landscape.calls if other == module.label]
        hears = [one for one, other in self._landscape.events if other == module.label]
        heard = [other for one, other in self._landscape.events if one == module.label]
        folder = self._places.link(module.folder, page=self._page)
        return table(
            ("", ""),
            [
                ("owner", module.owner),
                ("package", link(code(module.package), folder)),
                ("calls", self._links(calls)),
                ("called by", self._links(called)),
                ("hears", self._links(hears)),
                ("heard by", self._links(heard)),
            ],
        )

    def _links(self, labels: list[str]) -> str:
        return ", ".join(self._link(label) for label in labels) or "nobody"

    def _link(self, label: str) -> str:
        if label == self._module.label:
            return label
        return link(label, f"{label}.md" if label in self._landscape.modules else "")

    # --- provides -------------------------------------------------------------------------------

    def _provided(self) -> list[str]:
        blocks: list[str] = []
        for interface in self._module.provides:
            operations = operations_of(interface).values()
            contract = self._contract(path_of(of_interface(interface)))
            blocks += [
                f"### {code(interface.interface_name)}",
                prose(doc_of(interface)),
                f"Its contract: {contract}." if contract else "",
            ]
            for operation in operations:
                blocks += self._operation(operation)
            errors = {code_: e for one in operations for code_, e in one.errors.items()}
            if errors:
                blocks.append("#### Errors")
                blocks.append(
                    table(
                        ("error", "HTTP status", "what a person reads"),
                        [
                            (code(e.__name__), str(e.status), prose(first_sentence(doc_of(e))))
                            for _, e in sorted(errors.items())
                        ],
                    )
                )
            hints = [hint for one in operations for hint in one.hints.values()]
            for error in errors.values():
                hints += types_of_fields(error.payload_type())
            if types := types_in(hints):
                blocks += [
                    f"<details><summary>Data of {interface.__name__}: {len(types)} types</summary>",
                    data.told(types),
                    "</details>",
                ]
        return blocks

    def _operation(self, operation: Operation) -> list[str]:
        errors = sorted(error.__name__ for error in operation.raises)
        callers = self._landscape.callers(operation)
        rows = [
            ("kind", operation.kind),
            ("repeated", _repeated(operation)),
            ("a caller waits", f"at most {operation.timeout:g} s"),
            ("errors", codes(errors) or "none of its own"),
            ("called by", self._links(callers)),
        ]
        return [
            f"#### {code(operation.method)}",
            fence(signature_text(operation), "python"),
            prose(doc_of(operation.function)),
            "\n".join(f"- {name}: {text}" for name, text in rows),
        ]

    def _contract(self, snapshot: str) -> str:
        name, target = self._places.contract(snapshot, page=self._page)
        return link(code(name), target)

    # --- requires, publishes, subscribes --------------------------------------------------------

    def _required(self) -> str:
        return table(
            ("module", "interface", "operations that its code names"),
            [
                (
                    self._link(one.module),
                    code(one.interface.interface_name),
                    codes(operation.method for operation in one.operations) or "none",
                )
                for one in sorted(
                    self._module.requires, key=lambda one: (one.module, one.interface.__name__)
                )
            ],
        )

    def _published(self) -> str:
        landscape = self._landscape
        return table(
            ("event", "key", "subscribers"),
            [
                (
                    event_link(event),
                    code(event.event_key or "") or "none",
                    self._links(list(dict.fromkeys(who for who, _ in landscape.hearers(event)))),
                )
                for event in self._module.publishes
            ],
        )

    def _heard(self) -> str:
        return table(
            ("event", "of", "what happens"),
            [
                (event_link(one.event), self._link(one.module), reaction(one))
                for one in self._module.hears
            ],
        )

    # --- owns -----------------------------------------------------------------------------------

    def _tables(self) -> str:
        return table(
            ("table", "model", "what"),
            [
                (code(one.name), code(one.model), prose(first_sentence(one.about)))
                for one in self._module.tables
            ],
        )

    def _sagas(self) -> str:
        return table(
            ("saga", "version", "what", "contract"),
            [
                (
                    link(code(one.saga_name), "../sagas.md" + anchor(heading_of_saga(one))),
                    str(one.saga_version),
                    prose(first_sentence(doc_of(one))),
                    self._contract(path_of(of_saga(one))) or "none",
                )
                for one in self._module.sagas
            ],
        )

    def _tasks(self) -> str:
        blocks = []
        for task in self._module.tasks:
            contract = self._contract(path_of(of_task(task)))
            blocks += [
                fence(function_text(task.name, task.arguments), "python"),
                prose(doc_of(task.function)),
                f"Its contract: {contract}." if contract else "",
                data.told(types_in(types_of_fields(task.arguments))),
            ]
        return "\n\n".join(block for block in blocks if block)


def event_link(event: type[Event]) -> str:
    """A link from a canvas to the event's place in the catalogue."""
    return link(code(event.event_name), "../events.md" + anchor(event.event_name))


def heading_of_saga(saga: type[Saga]) -> str:
    """`orders.checkout version 1`."""
    return f"{saga.saga_name} version {saga.saga_version}"


def reaction(heard: Heard) -> str:
    """What a subscriber does with an event."""
    if heard.saga is not None:
        return f"the saga {code(heard.saga.saga_name)} awaits it in {code(heard.step)}"
    return f"the handler {code(heard.handler)}"


def _repeated(operation: Operation) -> str:
    """What becomes of a call that is made twice."""
    if operation.kind == "query":
        return "freely: it only reads"
    if not operation.keyed:
        return "harmless: no key of it is kept"
    text = "under the same idempotency key it runs once and gives the same answer"
    if operation.external:
        text += "; its effect leaves the process, so it is never part of a caller's transaction"
    return text
