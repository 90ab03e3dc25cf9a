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


def overwrite(key: str, text: str) -> Callable[[Project], None]:
    return lambda project: project.store.write(key, text)


REAL_EDIT = edit("pipeline", 'write(output_path, f"{text} {self.n % 2}")', "write(output_path, text)")

ROWS = [
    Row("nothing", lambda project: None),
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


def test_x(project):
    import time
    t=time.time()
    print(project.build(rerun_on=FULL)); print(time.time()-t); t=time.time()
    print(project.build(rerun_on=FULL)); print(time.time()-t)
    REAL_EDIT(project)
    t=time.time()
    print(project.build()); print(time.time()-t)
    t=time.time()
    print(project.build(rerun_on=FULL)); print(time.time()-t)
