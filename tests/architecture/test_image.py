"""The image and the composition, as far as they can be checked without building them."""

import json
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, continued lines joined, comments left out."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        (word, rest.strip())
        for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line.strip())
    ]


def copied() -> list[str]:
    """What COPY takes from the repository."""
    return [
        source
        for word, rest in instructions()
        if word == "COPY" and "--from=" not in rest
        for source in shlex.split(rest)[:-1]
    ]


def commands() -> dict[str, list[str]]:
    """The command of the image and of each service that runs it."""
    default = json.loads(next(rest for word, rest in instructions() if word == "CMD"))
    services = {
        name: service["command"] for name, service in SERVICES.items() if "build" in service
    }
    return {"image": default, **services}


@cache
def understood(verb: str) -> subprocess.CompletedProcess[str]:
    """The answer of `monolift VERB --help`."""
    program = Path(sys.executable).with_name("monolift")
    return subprocess.run(
        [program, verb, "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("source", copied())
def test_what_the_image_copies_exists(source: str) -> None:
    assert (ROOT / source).exists()


def test_what_the_image_copies_is_sent_to_the_build() -> None:
    """The ignore file leaves out everything and names what is needed."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    sent = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert {source.partition("/")[0] for source in copied()} <= sent


def test_the_image_installs_the_lock_and_no_tools() -> None:
    installs = [rest for word, rest in instructions() if word == "RUN" and "uv sync" in rest]
    assert installs
    for install in installs:
        assert {"--frozen", "--no-dev"} <= set(install.split())


def test_the_image_does_not_run_as_root() -> None:
    users = [rest for word, rest in instructions() if word == "USER"]
    assert users[-1:] == ["shop"]


def test_the_health_check_is_python() -> None:
    check = next(rest for word, rest in instructions() if word == "HEALTHCHECK")
    command = json.loads(check[check.index("[") :])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "HEALTHCHECK", "exec")
    assert "/healthz" in command[2]


@pytest.mark.parametrize("role", commands())
def test_the_command_of_a_role_exists(role: str) -> None:
    program, first, *_ = commands()[role]
    if program == "python":
        assert (ROOT / first).is_file()
        return
    assert program == "monolift"
    answer = understood(first)
    assert answer.returncode == 0, answer.stderr


def test_services_wait_for_services_that_exist() -> None:
    for name, service in SERVICES.items():
        for other, condition in service.get("depends_on", {}).items():
            assert other in SERVICES, f"{name} waits for {other}"
            if condition["condition"] == "service_healthy":
                assert "test" in SERVICES[other]["healthcheck"]


def test_named_volumes_are_declared() -> None:
    mounted = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
    }
    assert mounted == set(COMPOSE["volumes"])


def test_settings_read_what_the_composition_sets() -> None:
    settings = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "config").rglob("*.py")
    )
    unread = {
        variable
        for service in SERVICES.values()
        if "build" in service
        for variable in service["environment"]
        if not re.search(rf"[\"']{variable}[\"']", settings)
    }
    assert unread == set()


def test_no_secret_has_a_default() -> None:
    assert SERVICES["web"]["environment"]["SECRET_KEY"].startswith("${SECRET_KEY:?")
