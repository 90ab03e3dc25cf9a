"""What re-runs after which change: one row for each, over every kind of target, in fresh processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.fresh_builds import FreshBuilds
from tests.rerun_project import STORES, Project, write_project

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
REQUIRES = '{"raw": Raw(day=self.day)}'

CLEAN_AND_REPORT = "Clean ran code_changed, Report ran input_changed"
ONLY_CLEAN = "Clean ran code_changed, Report unchanged upstream_runs"
ALL_ANEW = "Raw unchanged identity_changed, Clean unchanged identity_changed, Report unchanged identity_changed"
REPORTED = "Clean skipped code_changed"
NOT_NEEDED = "Raw skipped missing"

ROWS = [
    Row("nothing", lambda project: None),
    Row(
        "a parameter",
        lambda project: None,
        "Raw ran missing, Clean ran missing, Report ran missing",
        options={"params": {"day": "tuesday"}},
    ),
    Row("touch", then(*(touch(name) for name in ("raw", "clean", "report")))),
    Row("comment", edit("pipeline", RUN, RUN.replace("note", "# see above\n        note"))),
    Row("docstring", edit("pipeline", RUN, RUN.replace("note", '"""Clean."""\n        note'))),
    Row(
        "annotation",
        edit(
            "pipeline",
            RUN,
            RUN.replace("path)", "path: object) -> None").replace("words", "words: list", 1),
        ),
    ),
    Row("blank line", edit("pipeline", RUN, RUN.replace("words =", "\n        words ="))),
    Row(
        "reformatting",
        edit(
            "pipeline",
            RUN,
            RUN.replace(
                "self, input_path, output_path",
                "\n        self,\n        input_path,\n        output_path,\n    ",
            ).replace('"raw"', "'raw'"),
        ),
    ),
    Row("an edit that changes the bytes", REAL_EDIT, CLEAN_AND_REPORT, by_default=REPORTED),
    Row(
        "an edit that yields the same bytes",
        edit("pipeline", WRITE, WRITE.replace("{self.n % 2}", "{self.n & 1}")),
        ONLY_CLEAN,
        by_default=REPORTED,
    ),
    Row(
        "an edit in a helper of another module",
        edit("cleaning", "split(text)[:LIMIT]", "split(text)[1:LIMIT]"),
        CLEAN_AND_REPORT,
        by_default=REPORTED,
    ),
    Row(
        "an edit in a helper that yields the same bytes",
        edit("cleaning", "split(text)[:LIMIT]", "split(text)[0:LIMIT]"),
        ONLY_CLEAN,
        by_default=REPORTED,
    ),
    Row(
        "an edit in a constant that the helper reads",
        edit("cleaning", "LIMIT = 2", "LIMIT = 1"),
        CLEAN_AND_REPORT,
        by_default=REPORTED,
    ),
    Row(
        "an edit in the base class",
        edit("cleaning", '"cleaned"', '"tidied"'),
        CLEAN_AND_REPORT,
        by_default=REPORTED,
    ),
    Row(
        "an edit in a helper of the helper",
        edit("words", "text.split()", "text.upper().split()"),
        CLEAN_AND_REPORT,
        by_default=REPORTED,
    ),
    Row(
        "an edit in a function that is not reached",
        edit("cleaning", "text.lower()", "text.upper()"),
    ),
    Row("Raw deleted", delete("raw"), NOT_NEEDED),
    Row(
        "Raw deleted, missing_anywhere",
        delete("raw"),
        "Raw ran missing, Clean unchanged upstream_runs, Report unchanged upstream_runs",
        options={"rerun_on": [*FULL, "missing_anywhere"]},
    ),
    Row(
        "Raw deleted and Clean edited",
        then(delete("raw"), REAL_EDIT),
        "Raw ran missing, Clean ran code_changed, Report ran input_changed",
        by_default=f"{NOT_NEEDED}, {REPORTED}",
    ),
    Row(
        "Raw forced alone to new bytes",
        forced_raw_alone,
        "Clean ran input_changed, Report ran input_changed",
    ),
    Row(
        "the external file",
        overwrite("source.txt", "three two one"),
        "Raw ran input_changed, Clean ran input_changed, Report ran input_changed",
    ),
    Row(
        "the external file, where Clean does not look",
        overwrite("source.txt", "one two four"),
        "Raw ran input_changed, Clean ran input_changed, Report unchanged upstream_runs",
    ),
    Row("Report edited by hand", edited_by_hand("report"), "Report skipped output_changed"),
    Row(
        "Report edited by hand, output",
        edited_by_hand("report"),
        "Report ran output_changed",
        options={"rerun_on": [*FULL, "output"]},
    ),
    Row("Report deleted", delete("report"), "Report ran missing"),
    Row("Report and Raw deleted", delete("report", "raw"), f"{NOT_NEEDED}, Report ran missing"),
    Row(
        "Report and Clean deleted",
        delete("report", "clean"),
        "Clean ran missing, Report ran missing",
    ),
    Row(
        "all deleted",
        delete("report", "clean", "raw"),
        "Raw ran missing, Clean ran missing, Report ran missing",
    ),
    Row(
        "another own parameter at the same path",
        lambda project: None,
        "Clean ran other_task, Report ran input_changed",
        options={"config": {"Clean": {"n": 4}}},
    ),
    Row(
        "another own parameter at the same path, same bytes",
        lambda project: None,
        "Clean ran other_task, Report unchanged upstream_runs",
        options={"config": {"Clean": {"n": 5}}},
    ),
    Row(
        "a new parameter with a default on Raw",
        edit(
            "pipeline",
            "class Raw(AtomicTaskWithMetadata):\n",
            "class Raw(AtomicTaskWithMetadata):\n    extra = IntParameter(default=0)\n",
        ),
        ALL_ANEW,
    ),
    Row(
        "another upstream for the same place",
        then(
            lambda project: project.build("OtherRaw"),
            edit("pipeline", REQUIRES, REQUIRES.replace("Raw", "OtherRaw")),
        ),
        "Clean ran input_changed, Report ran input_changed",
    ),
]


@pytest.fixture(scope="module")
def builds() -> Iterator[FreshBuilds]:
    server = FreshBuilds()
    yield server
    server.close()


@pytest.fixture(params=list(STORES))
def project(request: pytest.FixtureRequest, tmp_path: Path, builds: FreshBuilds) -> Project:
    store = STORES[request.param]
    is_remote = request.param in ("objects", "prefixes")
    place = request.getfixturevalue("s3") if is_remote else tmp_path
    return write_project(tmp_path, store(place), builds)


@pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])
def test_what_re_runs(row: Row, project: Project) -> None:
    project.build(rerun_on=FULL)
    row.change(project)
    options = {"rerun_on": FULL, **row.options}
    if row.by_default is not None:
        assert_ended(project.build(), row.by_default)
    plan = project.plan(**options) if project.store.has_folders else None
    if plan is not None and row.by_default is None and "rerun_on" not in row.options:
        assert project.plan(**row.options) == plan
    build = project.build(**options)
    assert_ended(build, row.expected)
    if plan is not None:
        assert_planned(build, plan)
    again = project.build(**options)
    assert again["entered"] == []
    assert set(again["ended"].values()) == {"skipped"}


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
