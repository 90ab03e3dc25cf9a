"""What fingerprinting the code of a build costs: 50 task classes over a project of 250 files.

Run it as `python benchmarks/code_fingerprint.py`; it writes a project into a temporary directory,
imports nothing of it, and prints one row for each state of the caches.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from superluigi.code import CodeFingerprint, Fingerprinter

_TASKS = 50
_LIBRARIES = 200
_FUNCTIONS = 12

_TARGETS_S = {
    "cold": 1.2,
    "tables in memory": 0.15,
    "tables on disk": 0.15,
    "one file edited": 0.15,
}
"""What each state may take on the two-core machine that the numbers in the documents come from."""


def _library(number: int, choose: random.Random) -> str:
    """A module of helpers that call each other and the helpers of a few earlier modules."""
    others = sorted(choose.sample(range(number), min(number, 2))) if number else []
    lines = ["import json", "import logging", "from pathlib import Path", ""]
    lines += [f"from project.library_{other} import step_0 as from_{other}" for other in others]
    lines += ["", "logger = logging.getLogger(__name__)", f"LIMIT = {number}", ""]
    for each in range(_FUNCTIONS):
        called = f"step_{each - 1}(rows)" if each % 4 else "rows"
        called = f"from_{choose.choice(others)}({called})" if others and each % 6 == 0 else called
        lines += [
            f"def step_{each}(rows, factor={each}):",
            f'    """Step {each} of {number}."""',
            "    # what happens here is of no interest",
            f"    rows = [row for row in {called} if row.get('size', 0) < LIMIT * factor]",
            "    for row in rows:",
            f"        row['name'] = f\"{{row['id']}}-{each}-{{row.get('kind', 'none')!r}}\"",
            "        logger.debug('row %s', row)",
            "    return sorted(rows, key=lambda row: (row['name'], row['id']))",
            "",
        ]
    return "\n".join(lines)


def _task(number: int, choose: random.Random) -> str:
    used = sorted(choose.sample(range(_LIBRARIES), 3))
    lines = ["import luigi", ""]
    lines += [f"from project import library_{each}" for each in used]
    lines += ["", f"class Task{number}(luigi.Task):", "    day = luigi.DateParameter()", ""]
    lines += ["    def requires(self):", "        return []", "", "    def run(self):"]
    lines += ["        rows = [{'id': 1, 'size': 2}]"]
    for each in used:
        step = choose.randrange(_FUNCTIONS)
        lines += [f"        rows = library_{each}.step_{step}(rows)"]
    lines += ["        return self.write(rows)", "", "    def write(self, rows):"]
    lines += ["        return len(rows)", ""]
    return "\n".join(lines)


def _write_project(root: Path) -> list[tuple[Path, str]]:
    """Write the project; its tasks as file and class name."""
    choose = random.Random(1)
    package = root / "project"
    package.mkdir()
    (root / "pyproject.toml").touch()
    (package / "__init__.py").touch()
    for number in range(_LIBRARIES):
        (package / f"library_{number}.py").write_text(_library(number, choose), encoding="utf-8")
    tasks = []
    for number in range(_TASKS):
        path = package / f"task_{number}.py"
        path.write_text(_task(number, choose), encoding="utf-8")
        tasks.append((path, f"Task{number}"))
    return tasks


def _timed(work: Callable[[], list[CodeFingerprint]]) -> tuple[float, list[CodeFingerprint]]:
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def _report(state: str, seconds: float) -> None:
    target = _TARGETS_S.get(state)
    verdict = "" if target is None else f"(target {target} s)"
    print(f"{state:<24}{seconds:8.3f} s  {verdict}")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        tasks = _write_project(root)
        cache = root / "cache.json"
        _age(root)

        def fingerprints(fingerprinter: Fingerprinter) -> list[CodeFingerprint]:
            found = [fingerprinter.fingerprint_at(path, name) for path, name in tasks]
            return [code for code in found if code is not None]

        def loaded() -> list[CodeFingerprint]:
            return fingerprints(Fingerprinter(cache_path=cache))

        fingerprinter = Fingerprinter(cache_path=cache)
        cold, found = _timed(lambda: fingerprints(fingerprinter))
        lines = sum(path.read_text(encoding="utf-8").count("\n") for path in root.rglob("*.py"))
        parts = statistics.median(len(code.parts) for code in found)
        print(f"{len(list(root.rglob('*.py')))} files, {lines} lines, {len(found)} classes,")
        print(
            f"median {parts} parts, {fingerprinter.parsed} files parsed, Python {sys.version[:6]}"
        )
        _report("cold", cold)
        saving = time.perf_counter()
        fingerprinter.save()
        _report("saving the cache", time.perf_counter() - saving)
        fingerprinter.refresh()
        _report("tables in memory", _timed(lambda: fingerprints(fingerprinter))[0])
        _report("tables on disk", _timed(loaded)[0])
        with (root / "project" / "library_3.py").open("a", encoding="utf-8") as file:
            file.write("\nLIMIT = 1\n")
        fingerprinter.refresh()
        edited, after = _timed(lambda: fingerprints(fingerprinter))
        _report("one file edited", edited)
        changed = sum(
            old.fingerprint != new.fingerprint for old, new in zip(found, after, strict=True)
        )
        print(f"{changed} of {len(found)} change; cache {cache.stat().st_size / 1e6:.2f} MB")


def _age(root: Path) -> None:
    """Wait until the files are old enough for their times to be trusted."""
    newest = max(path.stat().st_mtime for path in root.rglob("*.py"))
    time.sleep(max(0.0, newest + 2.1 - time.time()))


if __name__ == "__main__":
    main()
