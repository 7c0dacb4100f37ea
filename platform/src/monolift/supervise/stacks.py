"""What runs beside the web process, for each stack."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from monolift.supervise.answers import Address
from monolift.supervise.preflight import Refused
from monolift.supervise.processes import Recipe
from monolift.supervise.project import Project
from monolift.supervise.servers import PostgreSQL, Redis
from monolift.supervise.supervisor import Supervisor, say
from monolift.supervise.web import THREADS

WORKER_DRAIN = "8"
"""Seconds for running work to end; less than what the supervisor gives the whole process."""
_SERVER_START = 60.0


class Plan(NamedTuple):
    """What `monolift run` was asked for."""

    project: Project
    data: Path
    address: Address
    server: str
    sample: bool
    threads: int = THREADS


def embedded(supervisor: Supervisor, plan: Plan) -> Mapping[str, str]:
    """SQLite files and threads: no server is needed. The environment of the project's processes."""
    return {}


def full(supervisor: Supervisor, plan: Plan) -> Mapping[str, str]:
    """PostgreSQL and Redis, started here. The environment of the project's processes.

    Between deployables events go by Redis too, unless MONOLIFT_STREAM says otherwise.
    """
    servers = (PostgreSQL(plan.data), Redis(plan.data))
    say("Starting PostgreSQL and Redis ...")
    for server in servers:
        server.prepare()
    supervisor.keep([server.recipe() for server in servers])
    for server in servers:
        if not supervisor.until(server.ready, seconds=_SERVER_START):
            raise Refused(
                f"{server.recipe().name} does not answer after {_SERVER_START:.0f} s. "
                f"Its log: {server.log}"
            )
    postgresql, redis = servers
    return {
        "MONOLIFT_POSTGRES": postgresql.url,
        "REDIS_URL": redis.url,
        "MONOLIFT_EXECUTOR": "celery",
        "MONOLIFT_STREAM": os.environ.get("MONOLIFT_STREAM") or "redis",
    }


def roles(
    plan: Plan, *, celery: bool, environment: Mapping[str, str], of: str = ""
) -> list[Recipe]:
    """The processes of the project, or `of` one of its deployables."""
    project = plan.project
    commands = {
        "web": project.light(
            "web", "--host", plan.address.host, "--port", str(plan.address.port),
            "--server", plan.server, "--threads", str(plan.threads),
        ),
        "worker": project.django("worker", "--drain", WORKER_DRAIN),
    }  # fmt: skip
    if celery:
        for modules, workers in _pools(plan):
            name = "celery" if "celery" not in commands else f"celery {modules}"
            commands[name] = project.django(
                "celery", "--modules", modules, "--concurrency", workers
            )
    return [
        Recipe(f"{of} {name}".strip(), command, environment, folder=project.folder)
        for name, command in commands.items()
    ]


def preparation(plan: Plan, environment: Mapping[str, str], *, of: str = "") -> Recipe:
    """The process that migrates, loads the sample, and finds out what the project has."""
    command = plan.project.django(
        "prepare", "--pages", str(_pages_file(plan)), "--pools", str(_pools_file(plan))
    )
    if plan.sample:
        command.append("--sample")
    name = f"{of} prepare".strip()
    return Recipe(name, command, environment, folder=plan.project.folder)


def pages(plan: Plan) -> list[tuple[str, str]]:
    """(title, path) of the pages that the preparation has found."""
    lines = _pages_file(plan).read_text(encoding="utf-8").splitlines()
    return [(title, path) for title, _, path in (line.partition("\t") for line in lines)]


def _pools(plan: Plan) -> list[tuple[str, str]]:
    """(modules, workers) of the pools that the preparation has found, that of the rest first."""
    lines = _pools_file(plan).read_text(encoding="utf-8").splitlines()
    return [(modules, workers) for modules, _, workers in (line.partition("\t") for line in lines)]


def _pools_file(plan: Plan) -> Path:
    return plan.data / "run.pools"


def _pages_file(plan: Plan) -> Path:
    return plan.data / "run.pages"
