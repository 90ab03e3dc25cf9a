"""The README's pipeline: the features of a day and a model feed predictions.

The data is scikit-learn's diabetes table: 442 patients, ten measurements of each, and a number that says
how the disease went on. `superluigi demo` copies this file into the project that it makes.
"""
# What follows is written as a user writes it, without annotations.
# mypy: ignore-errors
# ruff: noqa: D102

from pathlib import Path

import joblib
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

from superluigi.parameters import DateParameter, IntParameter
from superluigi.targets import S3ObjectTarget
from superluigi.tasks import AtomicTaskWithMetadata

BUCKET = "superluigi"
FOLDER = "data"
PATIENTS_PER_DAY = 100
HIGH = 500


class FeaturesTask(AtomicTaskWithMetadata):
    """The measurements of the patients of one day."""

    date = DateParameter()
    version = IntParameter()

    def output(self):
        return S3ObjectTarget(
            bucket=BUCKET,
            object_key=f"{FOLDER}/features/date={self.date:%Y%m%d}/{self.task_id}.csv",
        )

    def run(self, output_path, metadata):
        note_run(self)
        patients, _ = diabetes(self.version)
        today = patients.sample(PATIENTS_PER_DAY, random_state=self.date.toordinal())
        metadata["columns"] = list(today.columns)
        today.to_csv(output_path, index=False)


class ModelTask(AtomicTaskWithMetadata):
    """A model of how the disease goes on."""

    version = IntParameter()

    def output(self):
        return S3ObjectTarget(bucket=BUCKET, object_key=f"{FOLDER}/models/{self.task_id}.joblib")

    def run(self, output_path, metadata):
        note_run(self)
        patients, progression = diabetes(self.version)
        model = Ridge(alpha=0.01).fit(patients, progression)
        metadata["r2"] = round(model.score(patients, progression), 3)
        joblib.dump(model, output_path)


class PredictionsTask(AtomicTaskWithMetadata):
    """What the model says of the patients of one day."""

    date = DateParameter()
    version = IntParameter()

    def requires(self):
        return {
            "features": FeaturesTask(date=self.date, version=self.version),
            "model": ModelTask(version=self.version),
        }

    def output(self):
        return S3ObjectTarget(
            bucket=BUCKET,
            object_key=f"{FOLDER}/predictions/date={self.date:%Y%m%d}/{self.task_id}.csv",
        )

    def run(self, input_path, output_path, metadata):
        note_run(self)
        df = pd.read_csv(input_path["features"])
        metadata["row_count"] = len(df)
        model = joblib.load(input_path["model"])
        preds = model.predict(df)
        pd.Series(preds, name="prediction").to_csv(output_path)


class ReportTask(AtomicTaskWithMetadata):
    """Fails, as tasks do: it divides by a number that can be zero."""

    date = DateParameter()
    version = IntParameter()

    def requires(self):
        return PredictionsTask(date=self.date, version=self.version)

    def output(self):
        return S3ObjectTarget(bucket=BUCKET, object_key=f"{FOLDER}/reports/{self.task_id}.txt")

    def run(self, input_path, output_path):
        note_run(self)
        predictions = pd.read_csv(input_path)["prediction"]
        high = [value for value in predictions if value > HIGH]
        mean = sum(high) / len(high)
        Path(output_path).write_text(f"{len(high)} patients above {HIGH}, {mean:.0f} on average\n")


def diabetes(version):
    """The measurements that a version uses, two more than its number, and the progression."""
    table = load_diabetes(as_frame=True)
    return table.data.iloc[:, : version + 2], table.target


def note_run(task):
    """Add the task's family to ran.log: the demo compares it with what it is told of a build."""
    with Path(__file__).with_name("ran.log").open("a", encoding="utf-8") as log:
        log.write(f"{task.get_task_family()}\n")
