"""Where a program's time is said to go."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.bench import sampling
from benchmarks.bench.sampling import LAYERS, layer_of, package_of

ROOT = Path(__file__).parents[2]


def test_every_layer_is_one_of_the_sources() -> None:
    files = [
        path.as_posix()
        for folder in ("superluigi", "catalog")
        for path in (ROOT / folder).rglob("*.py")
    ]
    own = [part for parts in LAYERS.values() for part in parts if "superluigi" in part]
    assert own
    assert [part for part in own if not any(part in file for file in files)] == []


@pytest.mark.parametrize(
    ("file", "layer"),
    [
        ("/x/superluigi/running/scheduler.py", "scheduler"),
        ("/x/superluigi/running/worker.py", "worker and build"),
        ("/x/catalog/superluigi_catalog/recording/runs.py", "catalog"),
        ("/x/site-packages/luigi/task.py", "Luigi"),
        ("<frozen importlib._bootstrap>", "imports"),
        ("/usr/lib/python3.11/json/encoder.py", None),
    ],
    ids=["scheduler", "worker", "catalog", "luigi", "imports", "library"],
)
def test_the_longest_fitting_part_of_a_name_decides(file: str, layer: str | None) -> None:
    assert layer_of(file) == layer


@pytest.mark.parametrize(
    ("file", "package"),
    [
        ("/x/lib/python3/site-packages/luigi/task.py", "luigi"),
        ("/x/lib/python3/site-packages/typing_extensions.py", "typing_extensions"),
        ("/x/superluigi/code/cache.py", "superluigi"),
        ("/superluigi/catalog/superluigi_catalog/records.py", "superluigi_catalog"),
        (json.__file__, "Python's library"),
        ("/x/programs/graphs/shapes.py", "shapes.py"),
    ],
    ids=["luigi", "module", "ours", "catalog", "library", "program"],
)
def test_a_module_is_told_by_its_package(file: str, package: str) -> None:
    assert package_of(file) == package


def test_the_time_of_an_import_is_of_the_module_that_takes_it(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time\nwhile time.process_time() < 0.4: pass\n")
    (tmp_path / "program.py").write_text("import slow\n")
    kept = tmp_path / "samples.json"
    command = [sys.executable, sampling.__file__, str(kept), str(tmp_path / "program.py")]
    subprocess.run(command, check=True)
    most = max(json.loads(kept.read_text()), key=lambda row: row[2])
    assert most[:2] == ["imports", "modules of slow.py"]


def test_a_busy_function_is_found_and_counts_add_up_over_runs(tmp_path: Path) -> None:
    program = tmp_path / "benchmarks" / "programs" / "busy.py"
    program.parent.mkdir(parents=True)
    program.write_text(
        "import time\n"
        "def burn():\n"
        "    while time.process_time() < 0.4: pass\n"
        "if __name__ == '__main__': burn()\n"
    )
    kept = tmp_path / "samples.json"
    counts = []
    for _ in range(2):
        subprocess.run([sys.executable, sampling.__file__, str(kept), str(program)], check=True)
        rows = json.loads(kept.read_text())
        counts.append(Counter({(layer, function): count for layer, function, count in rows}))
    burnt = [count["the tasks' own code", "programs/busy.py:burn"] for count in counts]
    assert burnt[0] > 20
    assert burnt[1] > 1.5 * burnt[0]
