"""A skip is a failure where MONOLIFT_REQUIRE_ALL is set."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
FILES = {
    "test_skips.py": "import pytest\n\ndef test_it():\n    pytest.skip('no server')\n",
    "test_skips_whole.py": "import pytest\n\npytest.importorskip('no_such_package')\n",
    "test_expected.py": (
        "import pytest\n\n@pytest.mark.xfail(reason='known')\ndef test_it():\n    assert False\n"
    ),
}


@pytest.mark.parametrize(
    ("required", "summary"),
    [("", "2 skipped, 1 xfailed"), ("1", "1 failed, 1 xfailed, 1 error")],
    ids=["anywhere", "where all is required"],
)
def test_a_skip_counts(tmp_path: Path, required: str, summary: str) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    options = ["-p", "no:django", "-p", "no:monolift", "--continue-on-collection-errors"]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=tmp_path,
        env=os.environ | {"MONOLIFT_REQUIRE_ALL": required},
        capture_output=True,
        text=True,
        check=False,
    )
    assert summary in result.stdout
