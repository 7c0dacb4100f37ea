"""What a class is taken out of a file for, and what must not change on the way."""

from collections.abc import Mapping

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What to take, from where, and where it goes."""

    name: str
    module: str
    """The module that defines the class."""
    package: bool
    """The module is the `__init__.py` of a package."""
    label: str
    """Label of the app it leaves."""
    target: str
    """The module it enters."""
    target_package: bool
    target_label: str
    models: Mapping[str, str]
    """Names in the defining module that are models, each with its `app_label.Model`."""
    taken: frozenset[str]
    """Names that other files or migrations use: they stay."""
    meta: Mapping[str, str]
    """Settings for `class Meta`, as source."""
    meta_base: str = ""
    """The base class whose Meta a new Meta has to inherit."""
    index_names: tuple[str | None, ...] = ()
    """For each index in Meta the name to write down."""
    starred: Mapping[str, str] = {}
    """Names that `import *` brings, each with the module it comes from."""
    texts: Mapping[str, str] = {}
    """Pieces of strings in Meta and what becomes of them, such as `%(app_label)s`."""
