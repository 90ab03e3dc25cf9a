from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

HELPER = """
import measuring

def length():
    return measuring.LENGTH
"""
TASKS = """
from helping import length
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata

class Measured(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget("measured.txt")

    def run(self, output_path):
        open(output_path, "w").write(str(length()))
"""
PROGRAM = """
import sys
import measured
from superluigi import plan_task, run_task
(run_task if sys.argv[1] == "run" else plan_task)(measured.Measured())
print(plan_task(measured.Measured(), rerun_on={"missing", "env"}).to_json())
"""


def installed(version: str) -> None:
    """A package as pip leaves it."""
    place = Path("env/site-packages")
    information = place / "measuring-1.dist-info"
    information.mkdir(parents=True, exist_ok=True)
    (place / "measuring.py").write_text("LENGTH = 3\n")
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: measuring\nVersion: {version}\n"
    )


def planned(word: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, word],
        env={**os.environ, "PYTHONPATH": "env/site-packages"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (decision,) = json.loads(done.stdout.splitlines()[-1])["decisions"]
    return decision


def test_a_new_version_of_an_imported_package_is_a_reason_where_asked_for(project: Path) -> None:
    Path("measured.py").write_text(TASKS)
    Path("helping.py").write_text(HELPER)
    installed("1.0")
    assert planned("run")["action"] == "skip"
    installed("2.0")
    decision = planned("plan")
    assert decision["action"] == "run"
    (reason,) = decision["reasons"]
    assert reason["kind"] == "environment_changed"
    assert reason["text"] == "environment changed: measuring 1.0 → 2.0"
    assert reason["details"] == {"versions": {"measuring": {"from": "1.0", "to": "2.0"}}}
