"""What re-runs after which change: one row for each, over every kind of target, in fresh processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.fresh_builds import FreshBuilds
from tests.rerun_project import PIPELINE, STORES, Project, write_project
from tests.superluigi.code.interpreters import other_interpreters, run_python

REPOSITORY = str(Path(__file__).parents[2])
WARNINGS = ["-W", "error", "-W", "ignore::DeprecationWarning:luigi"]
FULL = ["missing", "inputs", "code"]
ORDER = ["Source", "OtherRaw", "Raw", "Clean", "Report"]


@dataclass(frozen=True)
class Row:
    """A change, and what the next build does about it.

    Expectations are lines such as "Clean ran code_changed": family, category, the deciding reason (or
    one of the reasons); families that are not named are skipped as up to date.
    """

    id: str
    change: Callable[[Project], object]
    expected: str = ""
    by_default: str | None = None
    """With the default triggers, where it differs."""
    options: dict[str, Any] = field(default_factory=dict)
    """Of the build after the change."""
    stores: tuple[str, ...] = tuple(STORES)


def edit(module: str, old: str, new: str) -> Callable[[Project], None]:
    return lambda project: project.edit(module, old, new)


def delete(*names: str) -> Callable[[Project], None]:
    return lambda project: [project.store.delete(f"{name}-monday") for name in names] and None


def then(*changes: Callable[[Project], object]) -> Callable[[Project], None]:
    return lambda project: [change(project) for change in changes] and None


def touch(name: str) -> Callable[[Project], None]:
    return lambda project: project.store.touch(f"{name}-monday")


def edited_by_hand(name: str) -> Callable[[Project], None]:
    return lambda project: project.store.write(project.store.key(f"{name}-monday"), "by hand")


def overwrite(key: str, text: str) -> Callable[[Project], None]:
    return lambda project: project.store.write(key, text)


def forced_raw_alone(project: Project) -> None:
    build = project.build("Raw", force=True, environment={"SALT": "zero "})
    assert build["entered"] == ["Raw"]


RUN = """\
    def run(self, input_path, output_path):
        note(self)
        words = first_words(read(input_path["raw"]))
"""
WRITE = 'write(output_path, f"{text} {self.n % 2}")'
REAL_EDIT = edit("pipeline", WRITE, "write(output_path, text)")
NEW_PARAMETER = edit(
    "pipeline",
    "class Raw(AtomicTaskWithMetadata):\n",
    "class Raw(AtomicTaskWithMetadata):\n    extra = IntParameter(default=0)\n",
)
REQUIRES = '{"raw": Raw(day=self.day)}'

CLEAN_AND_REPORT = "Clean ran code_changed, Report ran input_changed"
ALL_ANEW = "Raw unchanged identity_changed, Clean unchanged identity_changed, Report unchanged identity_changed"
REPORTED = "Clean skipped code_changed"
NOT_NEEDED = "Raw skipped missing"

FORMATTING = {
    "comment": ("note", "# see above\n        note"),
    "docstring": ("note", '"""Clean."""\n        note'),
    "annotation": ("words =", "words: list[str] ="),
    "annotations": ("output_path)", "output_path: str) -> None"),
    "blank line": ("words", "\n        words"),
    "line breaks": ("(self, input_path", "(\n        self,\n        input_path"),
    "quotes": ('"raw"', "'raw'"),
    "brackets": ('first_words(read(input_path["raw"]))', '(first_words(read(input_path["raw"])))'),
}

FILES = ("files", "objects")
FOLDERS = ("folders", "prefixes")

CODE_ROWS = [
    Row("an edit that changes the bytes", REAL_EDIT, CLEAN_AND_REPORT, REPORTED),
    Row(
        "an edit that yields the same bytes",
        edit("pipeline", "[self.title(), *words]", "[self.title()] + words"),
        "Clean ran code_changed, Report unchanged upstream_runs",
        REPORTED,
    ),
    Row(
        "an edit in a helper of the helper",
        edit("words", "text.split()", "text.upper().split()"),
        CLEAN_AND_REPORT,
        REPORTED,
    ),
    Row(
        "an edit in a helper of another module",
        edit("cleaning", "split(text)[:LIMIT]", "split(text)[1:LIMIT]"),
        CLEAN_AND_REPORT,
        REPORTED,
    ),
    Row(
        "an edit in a constant that the helper reads",
        edit("cleaning", "LIMIT = 2", "LIMIT = 1"),
        CLEAN_AND_REPORT,
        REPORTED,
    ),
    Row(
        "an edit in the base class",
        edit("cleaning", '"cleaned"', '"tidied"'),
        CLEAN_AND_REPORT,
        REPORTED,
    ),
    Row(
        "an edit in a function that is not reached",
        edit("cleaning", "text.lower()", "text.upper()"),
    ),
]

ROWS = [
    Row(
        "nothing",
        lambda project: None,
        stores=FILES,
    ),
    Row(
        "a parameter",
        lambda project: None,
        "Raw ran missing, Clean ran missing, Report ran missing",
        options={"params": {"day": "tuesday"}},
        stores=FILES,
    ),
    Row("touch", then(*(touch(name) for name in ("raw", "clean", "report")))),
    Row(
        "Raw deleted",
        delete("raw"),
        NOT_NEEDED,
        stores=FILES,
    ),
    Row(
        "Raw deleted, missing_anywhere",
        delete("raw"),
        "Raw ran missing, Clean unchanged upstream_runs, Report unchanged upstream_runs",
        options={"rerun_on": [*FULL, "missing_anywhere"]},
        stores=FOLDERS,
    ),
    Row(
        "Raw deleted and Clean edited",
        then(delete("raw"), REAL_EDIT),
        "Raw ran missing, Clean ran code_changed, Report ran input_changed",
        by_default=f"{NOT_NEEDED}, {REPORTED}",
        stores=FILES,
    ),
    Row(
        "Raw forced alone to new bytes",
        forced_raw_alone,
        "Clean ran input_changed, Report ran input_changed",
        stores=FOLDERS,
    ),
    Row(
        "the external file",
        overwrite("source.txt", "three two one"),
        "Raw ran input_changed, Clean ran input_changed, Report ran input_changed",
        stores=FILES,
    ),
    Row(
        "the external file, where Clean does not look",
        overwrite("source.txt", "one two four"),
        "Raw ran input_changed, Clean ran input_changed, Report unchanged upstream_runs",
        stores=FOLDERS,
    ),
    Row("Report edited by hand", edited_by_hand("report"), "Report skipped output_changed"),
    Row(
        "Report edited by hand, output",
        edited_by_hand("report"),
        "Report ran output_changed",
        options={"rerun_on": [*FULL, "output"]},
        stores=FILES,
    ),
    Row(
        "Report deleted",
        delete("report"),
        "Report ran missing",
        stores=FILES,
    ),
    Row(
        "Report and Raw deleted",
        delete("report", "raw"),
        f"{NOT_NEEDED}, Report ran missing",
        stores=FILES,
    ),
    Row(
        "Report and Clean deleted",
        delete("report", "clean"),
        "Clean ran missing, Report ran missing",
        stores=FOLDERS,
    ),
    Row(
        "all deleted",
        delete("report", "clean", "raw"),
        "Raw ran missing, Clean ran missing, Report ran missing",
        stores=FOLDERS,
    ),
    Row(
        "another own parameter at the same path",
        lambda project: None,
        "Clean ran other_task, Report ran input_changed",
        options={"config": {"Clean": {"n": 4}}},
        stores=FILES,
    ),
    Row(
        "another own parameter at the same path, same bytes",
        lambda project: None,
        "Clean ran other_task, Report unchanged upstream_runs",
        options={"config": {"Clean": {"n": 5}}},
        stores=FOLDERS,
    ),
    Row("a new parameter with a default on Raw", NEW_PARAMETER, ALL_ANEW, stores=FILES),
    Row(
        "a new parameter, and Raw deleted",
        then(NEW_PARAMETER, delete("raw")),
        f"{NOT_NEEDED}, Clean unchanged identity_changed, Report unchanged identity_changed",
        stores=FOLDERS,
    ),
    Row(
        "a new parameter, and Raw deleted and made again",
        then(NEW_PARAMETER, delete("raw"), lambda project: project.build()),
        "Raw ran missing, Clean unchanged upstream_runs, Report unchanged upstream_runs",
        options={"rerun_on": [*FULL, "missing_anywhere"]},
        stores=FOLDERS,
    ),
    Row(
        "a new parameter, and Report edited by hand",
        then(NEW_PARAMETER, edited_by_hand("report"), lambda project: project.build()),
        "Report skipped output_changed",
        stores=FILES,
    ),
    Row(
        "Raw edited by hand",
        edited_by_hand("raw"),
        "Raw skipped output_changed, Clean ran input_changed, Report ran input_changed",
        stores=FILES,
    ),
    Row(
        "another upstream for the same place",
        then(
            lambda project: project.build("OtherRaw"),
            edit("pipeline", REQUIRES, REQUIRES.replace("Raw", "OtherRaw")),
        ),
        "Clean ran input_changed, Report ran input_changed",
        stores=FOLDERS,
    ),
]


@pytest.fixture(scope="module")
def builds() -> Iterator[FreshBuilds]:
    server = FreshBuilds()
    yield server
    server.close()


@pytest.fixture
def store() -> str:
    return "files"


@pytest.fixture
def project(
    store: str, request: pytest.FixtureRequest, tmp_path: Path, builds: FreshBuilds
) -> Project:
    """A project with one kind of targets."""
    is_remote = store in ("objects", "prefixes")
    place = request.getfixturevalue("s3") if is_remote else tmp_path
    return write_project(tmp_path, STORES[store](place), builds)


@pytest.mark.parametrize(
    ("row", "store"),
    [pytest.param(row, store, id=f"{row.id}-{store}") for row in ROWS for store in row.stores],
)
def test_what_re_runs(row: Row, store: str, project: Project) -> None:
    project.build(rerun_on=FULL)
    change_and_build(row, project, compare_plans=store == "folders")


@pytest.mark.parametrize("row", CODE_ROWS, ids=[row.id for row in CODE_ROWS])
def test_what_an_edit_re_runs(row: Row, project: Project) -> None:
    project.build(rerun_on=FULL)
    change_and_build(row, project, compare_plans=True)


@pytest.mark.parametrize("store", ["prefixes"])
def test_what_edits_re_run_one_after_another_on_s3(store: str, project: Project) -> None:
    project.build(rerun_on=FULL)
    for row in CODE_ROWS:
        change_and_build(row, project, compare_plans=False)


def change_and_build(row: Row, project: Project, *, compare_plans: bool) -> None:
    row.change(project)
    options = {"rerun_on": FULL, **row.options}
    if row.by_default is not None:
        assert_ended(project.build(), row.by_default)
    plan = project.plan(**options) if compare_plans else None
    if plan is not None and row.by_default is None and "rerun_on" not in row.options:
        by_default = {key: value for key, value in options.items() if key != "rerun_on"}
        assert project.plan(**by_default) == plan
    build = project.build(**options)
    assert_ended(build, row.expected)
    if plan is not None:
        assert_planned(build, plan)
    assert set(project.plan(**options).values()) == {"skip"}


@pytest.mark.parametrize("store", FILES)
def test_formatting_re_runs_nothing(store: str, project: Project) -> None:
    built = project.build(rerun_on=FULL)
    run = RUN
    for old, new in FORMATTING.values():
        formatted = run.replace(old, new, 1)
        project.edit("pipeline", run, formatted)
        run = formatted
        build = project.build(rerun_on=FULL)
        assert_ended(build, "")
        assert build["code"] == built["code"]


def in_forked_workers(project: Project) -> dict[str, Any]:
    return project.build(rerun_on=FULL, num_workers=2)


def in_spawned_workers(project: Project) -> dict[str, Any]:
    return run_script(project, "spawned.py", num_workers=2)


def as_a_script(project: Project) -> dict[str, Any]:
    return run_script(project, "pipeline.py")


def run_script(project: Project, name: str, **options: Any) -> dict[str, Any]:
    arguments = json.dumps({"rerun_on": FULL, **options})
    done = subprocess.run(
        [sys.executable, "-B", *WARNINGS, name, arguments],
        cwd=project.root,
        env={**os.environ, "PYTHONPATH": REPOSITORY},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


BUILD_MAIN = """

if __name__ == "__main__":
    import json
    import sys

    from tests.fresh_builds import built

    print(json.dumps(built(sys.modules[__name__], "Report", {}, **json.loads(sys.argv[1]))))
"""

SPAWNED = """\
import multiprocessing

from pipeline import *

if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
"""

NOTEBOOK = """\
import linecache
import sys
from pathlib import Path

del __file__
for number, cell in enumerate(Path("cells.txt").read_text().split("\\n\\n\\n")):
    file = f"<ipython-input-{number}-0123456789ab>"
    linecache.cache[file] = (len(cell), None, cell.splitlines(keepends=True), file)
    exec(compile(cell, file, "exec"), globals())
"""


@pytest.mark.parametrize("way", [in_forked_workers, in_spawned_workers, as_a_script])
def test_the_decisions_are_the_same_however_it_is_started(
    way: Callable[[Project], dict[str, Any]], project: Project
) -> None:
    (project.root / "spawned.py").write_text(SPAWNED + BUILD_MAIN)
    (project.root / "pipeline.py").write_text(PIPELINE + BUILD_MAIN)
    imported = project.build(rerun_on=FULL)
    assert_ended(way(project), "")
    project.edit("words", "text.split()", "text.upper().split()")
    build = way(project)
    assert_ended(build, CLEAN_AND_REPORT)
    again = project.build(rerun_on=FULL)
    assert_ended(again, "")
    assert again["code"] == build["code"] != imported["code"]


def test_a_notebook_decides_by_its_cells_and_by_the_modules_that_they_import(
    project: Project,
) -> None:
    (project.root / "pipeline.py").unlink()
    (project.root / "notebook.py").write_text(NOTEBOOK + BUILD_MAIN)
    cells = PIPELINE

    def build_with(old: str = "", new: str = "") -> dict[str, Any]:
        nonlocal cells
        cells = cells.replace(old, new, 1)
        (project.root / "cells.txt").write_text(cells)
        return run_script(project, "notebook.py")

    assert build_with()["entered"] == ["Raw", "Clean", "Report"]
    assert_ended(build_with(RUN, RUN.replace("note", "# see above\n        note")), "")
    project.edit("words", "text.split()", "text.upper().split()")
    assert_ended(build_with(), CLEAN_AND_REPORT)
    assert_ended(build_with(WRITE, "write(output_path, text)"), CLEAN_AND_REPORT)


@pytest.mark.parametrize("minor", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_the_recorded_code_is_what_another_python_finds(minor: str, project: Project) -> None:
    if minor not in other_interpreters():
        pytest.skip(f"Python {minor} is the one that runs this, or is not on this machine")
    code = project.build()["code"]
    found = run_python(other_interpreters()[minor], "-c", SHOW, str(project.root / "pipeline.py"))
    assert json.loads(found) == code


SHOW = """
import json, sys
from superluigi.code import Fingerprinter
codes = {name: Fingerprinter().fingerprint_at(sys.argv[1], name) for name in ("Raw", "Clean", "Report")}
print(json.dumps({name: code.fingerprint for name, code in codes.items()}))
"""


def assert_ended(build: dict[str, Any], expected: str) -> None:
    ended = dict.fromkeys(build["ended"], "skipped") | {
        family: category for family, category, _ in expectations(expected)
    }
    assert build["ended"] == ended
    assert build["entered"] == sorted(
        (family for family, category in ended.items() if category == "ran"), key=ORDER.index
    )
    told = {family: kind for family, _, kind in expectations(expected)}
    for family, kinds in build["reasons"].items():
        assert told.get(family, "up_to_date") in kinds, (family, build["texts"][family])


def assert_planned(build: dict[str, Any], plan: dict[str, str]) -> None:
    entered = set(build["entered"])
    to_run = {family for family, action in plan.items() if action == "run"}
    maybe = {family for family, action in plan.items() if action == "maybe"}
    assert to_run <= entered <= to_run | maybe


def expectations(text: str) -> list[list[str]]:
    return [line.split() for line in text.split(", ") if line]
