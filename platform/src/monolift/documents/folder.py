"""The folder of the pages: what belongs there, what is not current, and writing it."""

from collections.abc import Mapping
from pathlib import Path

from monolift.documents import canvas, catalogue, overview, playbook, processes, svg
from monolift.documents.errors import DocumentsError
from monolift.documents.facts import Landscape
from monolift.documents.markdown import MARK
from monolift.documents.places import Places

type Pages = Mapping[str, str]
"""Texts by their path below the folder."""


def pages(landscape: Landscape, places: Places) -> Pages:
    """Every page, in order of their paths."""
    found = {
        overview.PATH: overview.overview(landscape),
        overview.PICTURE: svg.draw(landscape),
        catalogue.PATH: catalogue.catalogue(landscape, places),
        processes.PATH: processes.processes(landscape, places),
        playbook.PATH: playbook.playbook(),
    }
    for label, module in landscape.modules.items():
        found[canvas.path(label)] = canvas.canvas(landscape, module, places)
    return dict(sorted(found.items()))


def stale(wanted: Pages, *, folder: Path) -> list[str]:
    """The paths of pages that are missing, differ, or are left from a module that is gone."""
    present = _present(folder)
    return sorted(
        {path for path, text in wanted.items() if present.get(path) != text}
        | {path for path, text in present.items() if path not in wanted and _ours(text)}
    )


def write(wanted: Pages, *, folder: Path) -> list[str]:
    """Bring the folder up to date; the paths that were written or deleted.

    Only pages that were generated are replaced or deleted. Raises DocumentsError when another file
    is in the way or the folder cannot be written.
    """
    present = _present(folder)
    changed = stale(wanted, folder=folder)
    for path in changed:
        if path in present and not _ours(present[path]):
            raise DocumentsError(
                f"{folder / path} was not generated, so it is not replaced. Move it, or choose "
                "another folder with --to."
            )
    try:
        for path in changed:
            file = folder / path
            if path in wanted:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(wanted[path], encoding="utf-8", newline="\n")
            else:
                file.unlink()
    except OSError as error:
        raise DocumentsError(
            f"{error.filename or folder} cannot be written: {error.strerror}. Make it writable, "
            "or choose another folder with --to."
        ) from None
    return changed


def _ours(text: str) -> bool:
    return MARK in text[:1000]


def _present(folder: Path) -> dict[str, str]:
    """The texts of the pages and pictures in the folder; none when there is no folder."""
    found = {}
    try:
        if folder.exists() and not folder.is_dir():
            raise DocumentsError(f"{folder} is a file. Choose a folder with --to.")
        for file in sorted(folder.rglob("*")):
            if file.suffix in (".md", ".svg") and file.is_file():
                text = file.read_bytes().decode("utf-8", errors="replace")
                found[file.relative_to(folder).as_posix()] = text
    except OSError as error:
        raise DocumentsError(
            f"{error.filename or folder} cannot be read: {error.strerror}. Make it readable, or "
            "choose another folder with --to."
        ) from None
    return found
