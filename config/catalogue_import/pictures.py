"""Pictures: local copies, checked to be what they say, under names made from their content."""

import hashlib
import shutil
import warnings
from pathlib import Path
from urllib.parse import unquote, urlsplit

from PIL import Image, UnidentifiedImageError

FORMATS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}
MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 25_000_000
SHELF = "imported"
"""Where the copies are, below the static files."""

NONE = "products/no-picture.svg"
"""What is shown for a product without a picture."""


class NotFetched(Exception):
    """There is no local copy of a picture; says where it was looked for."""


class NoPicture(Exception):
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
        kind = _checked(file)
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        name = f"{digest[:32]}.{kind}"
        if self._target is not None:
            self._copy(file, self._target / name)
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

    def _copy(self, file: Path, target: Path) -> None:
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_suffix(".part")
        shutil.copyfile(file, half)
        half.replace(target)


def _checked(file: Path) -> str:
    """The suffix of the file's format, after decoding all of it. Raises NoPicture."""
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise NoPicture(f"{file.name} has {size:,} bytes; at most {MOST_BYTES:,} are possible")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file, formats=list(FORMATS)) as picture:
                pixels = picture.width * picture.height
                if pixels > MOST_PIXELS:
                    raise NoPicture(
                        f"{file.name} has {pixels:,} pixels; at most {MOST_PIXELS:,} are possible"
                    )
                picture.load()
                return FORMATS[str(picture.format)]
    except UnidentifiedImageError:
        raise NoPicture(f"{file.name} is no PNG, JPEG or WebP picture") from None
    except NoPicture:
        raise
    # Pillow's readers raise what they meet in a damaged file.
    except (OSError, ValueError, SyntaxError, IndexError, KeyError, MemoryError) as error:
        raise NoPicture(f"{file.name} is damaged ({error})") from None
    except Image.DecompressionBombError:
        raise NoPicture(f"{file.name} has too many pixels") from None
