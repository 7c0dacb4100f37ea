"""A report as text, JSON or a page."""

import msgspec

from monolift.boundaries.probe.errors import ProbeError
from monolift.boundaries.probe.report import Report


def shown(report: Report, *, form: str, module: str | None = None, colours: bool = False) -> str:
    """The report in a form: `text`, `json` or `html`. Raises ProbeError."""
    if module is not None and module not in {one.label for one in report.modules}:
        known = ", ".join(sorted(one.label for one in report.modules))
        raise ProbeError(f"--module: there is no module {module!r}. There are: {known}.")
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"
    if form == "html":
        from monolift.boundaries.probe.page import page

        return page(report)
    try:
        import rich as _rich
    except ModuleNotFoundError:
        raise ProbeError(
            "The text needs rich: pip install 'monolift[lint]'. Or take --format html or json."
        ) from None
    del _rich
    from monolift.boundaries.probe.text import text

    return text(report, module=module, colours=colours)
