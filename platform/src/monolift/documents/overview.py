"""The first page: the map, and a line for each module."""

from monolift.documents import canvas, mermaid
from monolift.documents.facts import Landscape
from monolift.documents.markdown import fence, link, page, prose, table
from monolift.documents.spelling import first_sentence
from monolift.kernel import operations_of

PATH = "README.md"
PICTURE = "map.svg"


def overview(landscape: Landscape) -> str:
    """The page with the map."""
    rows = [
        (
            link(label, canvas.path(label)),
            module.owner,
            prose(first_sentence(module.about)),
            str(sum(len(operations_of(one)) for one in module.provides)),
            str(len(module.publishes)),
            str(len(module.tables)),
        )
        for label, module in landscape.modules.items()
    ]
    diagram = mermaid.map_of(landscape)
    return page(
        "# The modules",
        f"[![Map: who calls whom, and whose events who hears]({PICTURE})]({PICTURE})",
        "A solid arrow is a call, the thicker the more operations; a dashed one is events, from "
        "who announces them to who hears them. Callers stand above what they call. The colour is "
        "the owner's.",
        table(("module", "owner", "what", "operations", "events", "tables"), rows),
        "Each module has a page. Then there are [the events](events.md), [the sagas](sagas.md) and "
        "[the playbook](playbook.md) of a lift.",
        "<details><summary>The map as Mermaid</summary>",
        fence(diagram, "mermaid") if diagram else "It has more arrows than Mermaid draws.",
        "</details>",
        "All of it is generated from what the code declares, with `monolift docs`; "
        "`monolift docs --check` fails while a page is not current. Which operations a module "
        "calls is read from the names in its files.",
    )
