"""Taking out of a project's code what names modules that are not there."""

from pathlib import Path
from textwrap import dedent

import pytest

from monolift.lift.service.eject.pruning import Absent, pruned
from monolift.lift.service.errors import ServiceError

ABSENT = Absent(
    name=lambda dotted: dotted.startswith(("modules.gone", "modules.lost")),
    labels={"gone", "lost"},
    settings={"GONE", "LOST"},
    known={"gone", "lost", "kept"},
)


def cut(text: str) -> str:
    return pruned(dedent(text), Path("config/settings.py"), ABSENT)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from modules.gone.api import router\nx = 1\n", "x = 1\n"),
        ("import modules.gone.api as a, os\ny = 2\n", "y = 2\n"),
        # What uses a name that is gone goes too, and so on.
        ("from modules.gone import api\nr = api.r\nprint(r)\nprint(1)\n", "print(1)\n"),
        (
            "from modules.gone import api\n@wrap\ndef f():\n    return api\n\n\nz = 1\n",
            "\n\nz = 1\n",
        ),
        # Elements of collections go one by one.
        ('A = ["modules.kept", "modules.gone"]\n', 'A = ["modules.kept"]\n'),
        ('A = ["modules.gone", "modules.kept"]\n', 'A = ["modules.kept"]\n'),
        ('A = [\n    "modules.gone",  # why\n    "b.c",\n]\n', 'A = [\n    "b.c",\n]\n'),
        ('A = [path("", include("modules.gone.urls")), path("x", y)]\n', 'A = [path("x", y)]\n'),
        ('A = {"a": "modules.gone.X", "b": 1}\n', 'A = {"b": 1}\n'),
        ('A = f(b=["modules.gone.x", "y.z"], c=["modules.lost.x"])\n', 'A = f(b=["y.z"], c=[])\n'),
        # One that is left of a tuple keeps it one.
        ('M = ("gone", "kept")\n', 'M = ("kept",)\n'),
        ('M = ("kept", "lost")\n', 'M = ("kept",)\n'),
        ('M = (\n    "gone",\n    "kept",\n)\n', 'M = (\n    "kept",\n)\n'),
        # Labels are only labels among labels.
        ('M = ("gone", "somewhere")\n', 'M = ("gone", "somewhere")\n'),
        ("GONE = {1: 2}\nGONE_TOO = 3\nGONER = 4\n", "GONER = 4\n"),
        ('"""modules.gone is mentioned."""\n', '"""modules.gone is mentioned."""\n'),
        ("if x:\n    from modules.gone import y\n    z = 1\n", "if x:\n    z = 1\n"),
        ("if x:\n    from modules.gone import y\n\nz = 1\n", "\nz = 1\n"),
        ("from modules.gone import y\nif y:\n    z = [1, 2]\nw = 1\n", "w = 1\n"),
        ('B = [q, "modules.gone.x"]\nfrom modules.gone import q\nc = 1\n', "B = []\nc = 1\n"),
        ('from modules.gone import q\nA = f(q, ["modules.gone.x", "y"])\nc = 1\n', "c = 1\n"),
        # Settings of other modules may be bound in a file that this one extends.
        (
            'from .base import *\nGONE["a"] = 1\nGONE |= {}\nf(GONE_URL)\nb = 1\n',
            "from .base import *\nb = 1\n",
        ),
        (
            "from modules.gone import q\nq.x = 1\nA = {**q, 1: 2}\nB = {1: 2, **q}\n",
            "A = {1: 2}\nB = {1: 2}\n",
        ),
        # What has lost a part goes as a whole; a mere list of names gets shorter.
        ('A = {"x": {"task": "modules.gone.t", "every": 60}, "y": 1}\n', 'A = {"y": 1}\n'),
        ('A = {"x": {"task": "modules.gone.t"}, "y": 1}\n', 'A = {"y": 1}\n'),
        ('A["x"] = {"task": "modules.gone.t", "every": 60}\nA["y"] = 1\n', 'A["y"] = 1\n'),
        (
            'A = {"x": {"class": "modules.gone.C", "host": "mail.example.org"}, "y": 1}\n',
            'A = {"y": 1}\n',
        ),
        (
            'A = {"x": {"class": "modules.gone.C", "f": ("modules.gone.f", "g")}, "y": 1}\n',
            'A = {"y": 1}\n',
        ),
        (
            'A = [{"NAME": "modules.gone.V", "OPTIONS": {}}, {"NAME": "v"}]\n',
            'A = [{"NAME": "v"}]\n',
        ),
        (
            'A = {"libraries": {"g": "modules.gone.t", "k": "modules.kept.t"}}\n',
            'A = {"libraries": {"k": "modules.kept.t"}}\n',
        ),
        (
            'A = {"x": {"y": {"class": "modules.gone.C", "level": 1}}, "z": 1}\n',
            'A = {"x": {}, "z": 1}\n',
        ),
        ('A = ["é", "modules.gone.x", "ü"]\n', 'A = ["é", "ü"]\n'),
    ],
)
def test_what_goes_and_what_stays(before: str, after: str) -> None:
    assert cut(before) == after


def test_parts_of_logging_that_name_what_went_name_it_no_more() -> None:
    text = """
    LOGGING = {
        "root": {"handlers": ["mail", "console"]},
        "handlers": {
            "mail": {"class": "modules.gone.Handler", "level": "ERROR"},
            "console": {"class": "logging.StreamHandler", "formatter": "own"},
        },
        "formatters": {"own": {"()": "modules.gone.Formatter"}},
    }
    """
    there: dict[str, dict[str, object]] = {}
    exec(cut(text), there)
    assert there["LOGGING"] == {
        "root": {"handlers": ["console"]},
        "handlers": {"console": {"class": "logging.StreamHandler"}},
        "formatters": {},
    }


def test_a_relative_import_is_followed_to_what_it_names() -> None:
    text = (
        "from . import kept\nfrom ..lost.api import a\nfrom .. import gone\nb = [a, gone, kept]\n"
    )
    found = pruned(text, Path("modules/site/urls.py"), ABSENT)
    assert found == "from . import kept\nb = [kept]\n"


def test_what_names_nobody_is_the_same_to_the_byte() -> None:
    text = "import os\n\n\nX = [  # odd\n  1,2 ,\n]\n"
    assert cut(text) == text


def test_a_file_that_is_no_python_is_named() -> None:
    with pytest.raises(ServiceError, match=r"config/settings.py:1: .*Correct it first"):
        cut("x = (\n")
