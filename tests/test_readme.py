"""The README's program: it stands there as it is, runs as it stands, and leaves what the README says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from superluigi_catalog import Catalog
from superluigi_catalog.results import Run
from tests.documents import ROOT, Block, blocks_of

PROGRAM = """\
import pandas as pd
import joblib
from datetime import date

from superluigi.tasks import AtomicTaskWithMetadata
from superluigi.parameters import DateParameter, IntParameter
from superluigi.targets import S3ObjectTarget
from superluigi.task_runner import run_task

class PredictionsTask(AtomicTaskWithMetadata):
    date = DateParameter()
    version = IntParameter()

    def requires(self):
        return {
            'features': FeaturesTask(date=self.date, version=self.version),
            'model': ModelTask(version=self.version)
        }

    def output(self):
        return S3ObjectTarget(
            bucket='superluigi',
            object_key=f'data/predictions/date={self.date:%Y%m%d}/{self.task_id}.csv'
        )

    def run(self, input_path, output_path, metadata):
        df = pd.read_csv(input_path['features'])
        metadata["row_count"] = len(df)
        model = joblib.load(input_path['model'])
        preds = model.predict(df)
        pd.Series(preds, name="prediction").to_csv(output_path)

task = PredictionsTask(date=date(2022, 12, 15), version=4)
run_task(task)                                              # makes what is missing
run_task(task)                                              # runs nothing
run_task(task, force=True)                                  # this task again
run_task(task, force_upstream=True)                         # the whole graph again
run_task(task, force_upstream_to_task_cls=FeaturesTask)     # Features, this task, and what lies between
run_task(task, raise_exception=True)                        # with a debugger's breakpoint on exceptions
"""

ALL = {"FeaturesTask", "ModelTask", "PredictionsTask"}


def blocks() -> list[Block]:
    return blocks_of(ROOT / "README.md")


def test_the_program_stands_in_the_readme_as_it_is() -> None:
    assert [block.text for block in blocks() if "class PredictionsTask" in block.text] == [PROGRAM]


@pytest.fixture
def ran(s3: Any, tmp_path: Path) -> tuple[Any, list[set[str]], list[Run]]:
    """The store, the families that ran in each build, first build first, and all runs."""
    s3.create_bucket(Bucket="superluigi")
    (upstream,) = [block.text for block in blocks() if "class FeaturesTask" in block.text]
    (tmp_path / "superluigi.toml").touch()
    program = tmp_path / "predictions.py"
    program.write_text(f"{upstream}\n{PROGRAM}", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    with Catalog(tmp_path / ".superluigi" / "catalog.db") as catalog:
        builds = [build.build_id for build in reversed(catalog.builds())]
        runs = [catalog.runs(build=build) for build in builds]
    return s3, [{run.family for run in of_build} for of_build in runs], [*sum(runs, ())]


def test_the_program_runs_what_it_says_and_leaves_what_the_readme_says(
    ran: tuple[Any, list[set[str]], list[Run]],
) -> None:
    store, families, runs = ran
    assert families == [
        ALL,
        set(),
        {"PredictionsTask"},
        ALL,
        {"FeaturesTask", "PredictionsTask"},
        set(),
    ]
    assert {run.status for run in runs} == {"succeeded"}
    keys = {row["Key"] for row in store.list_objects_v2(Bucket="superluigi")["Contents"]}
    left = next(
        block.text.split() for block in blocks() if block.text.startswith("data/predictions")
    )
    assert {key for key in keys if key.startswith("data/predictions")} == set(left)
    assert len(keys) == 6
    metadata = next(run.metadata for run in runs if run.family == "PredictionsTask")
    assert metadata == {"row_count": 100}
