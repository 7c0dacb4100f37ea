"""Asks Django whether the project is whole after a codemod."""

import subprocess
import sys
from pathlib import Path

_ASK = """
import os, sys
root, settings = sys.argv[1:]
sys.path[:0] = [root, os.path.join(root, "src")]
os.environ["DJANGO_SETTINGS_MODULE"] = settings
from django.core.management import execute_from_command_line
for question in (["check"], ["makemigrations", "--check", "--dry-run"]):
    print("manage.py", *question, flush=True)
    execute_from_command_line(["manage.py", *question])
from monolift.codemods.verify import unresolved
if found := unresolved():
    sys.exit(found)
"""


def verify(*, root: Path, settings: str) -> str:
    """What Django says in a fresh process that does not find the project whole; else nothing."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _ASK, str(root), settings],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stdout + done.stderr).strip() if done.returncode else ""


def unresolved() -> str:
    """Why an empty database could not be migrated; empty when every relation finds its model.

    Goes through Django's states in the order of `migrate`. It runs no migration, so it cannot know
    which models a RunPython asks for.
    """
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState
    from django.db.migrations.utils import resolve_relation

    loader = MigrationLoader(None)
    graph = loader.graph
    state = ProjectState(real_apps=loader.unmigrated_apps)
    plan = dict.fromkeys(key for leaf in graph.leaf_nodes() for key in graph.forwards_plan(leaf))
    for key in plan:
        state = graph.nodes[key].mutate_state(state, preserve=False)
        for (label, name), model in state.models.items():
            for field_name, field in model.fields.items():
                remote = getattr(field, "remote_field", None)
                for value in (getattr(remote, "model", None), getattr(remote, "through", None)):
                    if value is None:
                        continue
                    other = resolve_relation(value, label, name)
                    if other not in state.models and other[0] not in state.real_apps:
                        return (
                            f"An empty database cannot be migrated: after {'.'.join(key)} "
                            f"{label}.{model.name}.{field_name} refers to {'.'.join(other)}, which "
                            "is not there at that point. Let one of the two wait for the other in "
                            "`dependencies`."
                        )
    return ""
