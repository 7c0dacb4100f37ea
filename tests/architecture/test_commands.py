"""Hooks and continuous integration call make targets, and nothing else."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HOOKS: dict[str, Any] = yaml.safe_load(
    (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
)


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make in the repository."""
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def called_targets() -> list[str]:
    """What hooks and continuous integration ask make for."""
    entries = [hook["entry"] for repository in HOOKS["repos"] for hook in repository["hooks"]]
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    entries += re.findall(r"^make [a-z-]+", script, flags=re.MULTILINE)
    return sorted({entry.removeprefix("make ") for entry in entries})


def test_hooks_call_make_only() -> None:
    for repository in HOOKS["repos"]:
        assert repository["repo"] == "local"
        for hook in repository["hooks"]:
            assert re.fullmatch(r"make [a-z-]+", hook["entry"]), hook
            assert hook["pass_filenames"] is False


def test_continuous_integration_calls_check() -> None:
    assert "check" in called_targets()


@pytest.mark.parametrize("target", called_targets())
def test_a_called_target_exists(target: str) -> None:
    result = make("--dry-run", target)
    assert result.returncode == 0, result.stderr


def test_help_names_every_target_for_people() -> None:
    listed = set(re.findall(r"^  make ([a-z-]+)", make("help").stdout, flags=re.MULTILINE))
    assert listed >= {
        "bench", "chaos", "check", "clean", "codeowners", "contracts", "docs", "format", "help",
        "lint", "run", "setup", "test",
    }  # fmt: skip


def test_run_passes_its_variables_on() -> None:
    shown = make("--dry-run", "run", "PORT=8123", "DATA=some where", "STACK=full").stdout
    assert '--port "8123" --data "some where"' in shown
    assert '--stack "full"' in shown
    assert "--server" not in shown


def test_the_distribution_carries_the_licence() -> None:
    """A distribution can only include files below its own folder, hence the copy."""
    assert (ROOT / "platform" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
