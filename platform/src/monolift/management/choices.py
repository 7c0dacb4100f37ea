"""What the command line names: modules, with an answer for names that are unknown."""

from monolift.management.errors import VerbError


def module_labels(given: str | None) -> list[str]:
    """The labels in a comma-separated list, or all; VerbError for one that is not installed."""
    from monolift.registry.modules import modules

    known = sorted(modules())
    if given is None:
        return known
    labels = [label.strip() for label in given.split(",") if label.strip()]
    for label in labels:
        if label not in known:
            raise VerbError(f"There is no module {label!r}. Installed: {', '.join(known)}.")
    return labels
