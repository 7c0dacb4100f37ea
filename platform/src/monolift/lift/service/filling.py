"""Filling in the files that belong to a service, from templates that are files themselves."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

from monolift.lift.service.errors import ServiceError

_BLOCK = re.compile(r"^(?P<space>[ ]*)\$(?P<name>[a-z_]+)\n", re.MULTILINE)
_TEMPLATES = files("monolift.lift.service").joinpath("templates")


def filled(template: str, values: Mapping[str, object]) -> str:
    """The text of a template with its `$names` filled in. KeyError for one without a value.

    A name that is alone in its line stands for a block, which gets the line's indentation; an empty
    block takes the line with it.
    """
    text = _TEMPLATES.joinpath(template).read_text(encoding="utf-8")
    return Template(_BLOCK.sub(lambda found: _block(found, values), text)).substitute(values)


def _block(found: re.Match[str], values: Mapping[str, object]) -> str:
    lines = str(values[found["name"]]).rstrip("\n").splitlines()
    # What is put in is no template.
    return "".join(f"{found['space']}{line}".rstrip() + "\n" for line in lines).replace("$", "$$")


def checksum(*texts: str) -> str:
    """What changes when one of the texts does: pods that read them begin anew."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def save(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write files below a folder, which is made; their paths. ServiceError when that cannot be."""
    written = []
    try:
        for name, text in texts.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    except OSError as error:
        raise ServiceError(
            f"{error.filename or folder} cannot be written: {error.strerror}. Choose another --to."
        ) from None
    return written


def yaml_list(values: Iterable[str]) -> str:
    """A list in one line."""
    return f"[{', '.join(values)}]"
