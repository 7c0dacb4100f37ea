"""Pictures: local copies, checked to be what they say, under names made from their content."""

import hashlib
import os
import shutil
import warnings
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO
from urllib.parse import unquote, urlsplit

from django.conf import settings
from PIL import Image, UnidentifiedImageError

FORMATS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}
_SUFFIXES = {**FORMATS, "MPO": "jpg"}
"""Telephones write several JPEG pictures into one file, of which browsers show the first."""

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 25_000_000
SHELF = "imported"
"""Where the copies are, below the static files."""

NONE = "products/no-picture.svg"
"""What is shown for a product without a picture."""


class NotFetched(Exception):
    """There is no local copy of a picture; says where it was looked for."""


class NoPicture(ValueError):
    """A file is not a picture that can be shown; says why."""


class Pictures:
    """Finds the copies in `folder` and puts them into `target`, unless it is None (a dry run)."""

    def __init__(self, folder: Path | None, *, target: Path | None) -> None:
        self._folder = folder.resolve() if folder else None
        self._target = target

    def path(self, source: str) -> str:
        """The path of a picture below the static files. Raises NotFetched or NoPicture.

        `source` is its address in the export, of which the last part is the name of the file.
        """
        file = self._file(source)
        try:
            opened = file.open("rb")
        except OSError as error:
            raise NoPicture(f"{file.name} cannot be read ({error.strerror})") from None
        with opened:
            name = _name(opened, called=file.name)
            if self._target is not None:
                _copy(opened, self._target / name)
        return f"{SHELF}/{name}"

    def _file(self, source: str) -> Path:
        if self._folder is None:
            raise NotFetched("give the folder of the copies with --images")
        try:
            name = unquote(urlsplit(source).path).replace("\\", "/").rpartition("/")[2]
        except ValueError:
            name = ""
        if name in ("", ".", "..") or not name.isprintable():
            raise NotFetched("its address does not end in the name of a file")
        try:
            file = (self._folder / name).resolve()
            found = file.is_file() and file.parent == self._folder
        except (OSError, RuntimeError):  # a name that is too long, a circle of links
            found = False
        else:
            if found:
                return file
        raise NotFetched(f"there is no {name[:100]} in {self._folder}")


class Uploads:
    """Checks and keeps pictures that are uploaded, where imported ones are."""

    def check(self, *, file: IO[bytes], name: str) -> None:
        """Raises NoPicture."""
        _checked(file, called=name)

    def keep(self, *, file: IO[bytes], name: str) -> str:
        """Its path below the static files; one that is there already is kept once."""
        kept = _name(file, called=name)
        try:
            _copy(file, settings.IMPORTED_IMAGES / kept)
        except OSError as error:
            raise NoPicture(f"{name} cannot be kept ({error.strerror})") from None
        return f"{SHELF}/{kept}"


def _name(file: IO[bytes], *, called: str) -> str:
    """The name of a picture by its content. Raises NoPicture."""
    kind = _checked(file, called=called)
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(1 << 16):
        digest.update(block)
    return f"{digest.hexdigest()[:32]}.{kind}"


def _copy(file: IO[bytes], target: Path) -> None:
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    file.seek(0)
    # A name of its own: the same picture may come twice at one moment.
    with NamedTemporaryFile(dir=target.parent, suffix=".part", delete=False) as half:
        try:
            shutil.copyfileobj(file, half)
            half.close()
            Path(half.name).chmod(0o644)
            Path(half.name).replace(target)
        except OSError:
            Path(half.name).unlink(missing_ok=True)
            raise


def _checked(file: IO[bytes], *, called: str) -> str:
    """The suffix of the file's format, after decoding all of it. Raises NoPicture."""
    try:
        size = file.seek(0, os.SEEK_END)
        if size > MOST_BYTES:
            raise NoPicture(f"{called} has {size:,} bytes; at most {MOST_BYTES:,} are possible")
        file.seek(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file, formats=list(FORMATS)) as picture:
                pixels = picture.width * picture.height
                if pixels > MOST_PIXELS:
                    raise NoPicture(
                        f"{called} has {pixels:,} pixels; at most {MOST_PIXELS:,} are possible"
                    )
                picture.load()
                return _SUFFIXES[str(picture.format)]
    except UnidentifiedImageError:
        raise NoPicture(f"{called} is no PNG, JPEG or WebP picture") from None
    except NoPicture:
        raise
    # Pillow's readers raise what they meet in a damaged file.
    except (OSError, ValueError, SyntaxError, IndexError, KeyError, MemoryError) as error:
        raise NoPicture(f"{called} is damaged ({error})") from None
    except Image.DecompressionBombError:
        raise NoPicture(f"{called} has too many pixels") from None
