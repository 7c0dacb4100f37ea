"""A copy of a plain Django project, under git, on a database of its own."""

import contextlib
import json
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.codemods import forked
from tests.library.running import MONOLIFT, environment

ASSETS = Path(__file__).parent / "assets"


class Depot:
    """The project in `folder`."""

    def __init__(self, folder: Path, *, database: str = "") -> None:
        self.folder = folder
        self.env = environment(DEPOT_DATABASE=database, PYTHONDONTWRITEBYTECODE="1")
        shutil.copytree(
            ASSETS / "depot", folder, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3")
        )
        (folder / ".gitignore").write_text("*.sqlite3\n")
        self.git("init", "--quiet")
        self.commit()

    def git(self, *arguments: str) -> str:
        """Run git."""
        who = ("-c", "user.name=depot", "-c", "user.email=depot@example.org")
        return self.process("git", *who, *arguments).stdout

    def commit(self) -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "As it is")

    def process(self, *command: str | Path, fails: bool = False) -> Any:
        """Run a command to its end; it fails exactly when it should."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert bool(done.returncode) is fails, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    def manage(self, *arguments: str) -> str:
        """Run manage.py; what it prints."""
        return self.python("manage.py", *arguments)

    def python(self, *arguments: str) -> str:
        """Run Python with a script that succeeds, or with `-c CODE`; what it prints."""
        code, output = forked.run(self.folder, self.env, *arguments)
        assert code == 0, f"{arguments}\n{output}"
        return output

    def monolift(self, *arguments: str) -> str:
        """Run a codemod that succeeds; what it prints."""
        return str(self.process(MONOLIFT, *arguments).stdout)

    def refused(self, *arguments: str) -> str:
        """Run a codemod that refuses, changes nothing, and says why in one line."""
        before = self.git("status", "--porcelain"), self.git("diff")
        done = self.process(MONOLIFT, *arguments, fails=True)
        assert (self.git("status", "--porcelain"), self.git("diff")) == before
        assert done.returncode == 1, done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr
        return str(done.stderr)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a piece of a file, and commit."""
        file = self.folder / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        self.commit()

    def read(self, path: str) -> str:
        """The text of a file."""
        return (self.folder / path).read_text()

    def whole(self) -> None:
        """Check, migrations, and the project's own tests."""
        code = (
            "from django.core.management import execute_from_command_line as run\n"
            "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'mysite.settings'\n"
            "run(['manage.py', 'check'])\n"
            "run(['manage.py', 'makemigrations', '--check', '--dry-run'])\n"
            "run(['manage.py', 'test', '--noinput'])\n"
        )
        self.python("-c", code)

    def ask(self, script: str) -> Any:
        """Run a script with the project loaded, and read the JSON in `answer`."""
        code = (
            "import json, os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'mysite.settings'\n"
            f"import django\ndjango.setup()\n{script}\nprint(json.dumps(answer, default=str))"
        )
        return json.loads(self.python("-c", code))

    def tables(self, *names: str) -> Any:
        """Rows of tables, and the names of their constraints and indexes."""
        return self.ask(
            "from django.db import connection\n"
            "answer = {}\n"
            "with connection.cursor() as cursor:\n"
            f"    for name in {names!r}:\n"
            "        cursor.execute(f'SELECT * FROM {name} ORDER BY 1')\n"
            "        columns = [column[0] for column in cursor.description]\n"
            "        rows = [dict(zip(columns, row)) for row in cursor.fetchall()]\n"
            "        found = connection.introspection.get_constraints(cursor, name)\n"
            "        answer[name] = [rows, sorted(found)]\n"
        )


@contextlib.contextmanager
def database(url: str) -> Iterator[str]:
    """The URL of a new database on a PostgreSQL server; without a server none, for SQLite."""
    if not url:
        yield ""
        return
    import psycopg

    name = f"depot_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield url.rpartition("/")[0] + f"/{name}"
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
