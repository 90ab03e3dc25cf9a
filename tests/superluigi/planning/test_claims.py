"""Targets that lie inside each other."""

from __future__ import annotations

from typing import Any

import luigi
import pytest

from superluigi import plan_task
from superluigi.errors import PlanError
from superluigi.targets import LocalFileTarget, LocalFolderTarget, S3ObjectTarget, S3PrefixTarget
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask, WrapperTask

pytestmark = pytest.mark.usefixtures("project")


def planned(*outputs: Any, given: Any = None) -> None:
    """Plan one task for each output, and one that requires what others make at `given`."""

    class Claims(AtomicTaskWithMetadata):
        n = luigi.IntParameter()

        def output(self):
            return outputs[self.n]

        def run(self):
            """Never entered."""

    class Given(ExternalTask):
        def output(self):
            return given

    class ClaimsAll(WrapperTask):
        def requires(self):
            return [Given(), *(Claims(n=n) for n in range(len(outputs)))]

    plan_task(ClaimsAll())


@pytest.mark.parametrize("is_reversed", [False, True], ids=["outer first", "inner first"])
@pytest.mark.parametrize(
    ("outer", "inner", "names"),
    [
        (LocalFolderTarget("s5"), LocalFileTarget("s5/x.txt"), ("'s5'", "'s5/x.txt'")),
        (LocalFolderTarget("s5/"), luigi.LocalTarget("./s5/a/b/x.txt"), ("'s5'", "'s5/a/b/x.txt'")),
        (LocalFolderTarget("/s5"), LocalFolderTarget("/s5/sub"), ("'/s5'", "'/s5/sub'")),
        (LocalFileTarget("x.txt"), LocalFileTarget("x.txt/y"), ("'x.txt'", "'x.txt/y'")),
    ],
    ids=["file", "plain target", "folder", "file in a file"],
)
def test_a_target_inside_another_is_refused_before_anything_runs(
    outer: Any, inner: Any, names: tuple[str, str], is_reversed: bool
) -> None:
    with pytest.raises(PlanError) as caught:
        planned(*([inner, outer] if is_reversed else [outer, inner]))
    first, second = ("1", "0") if is_reversed else ("0", "1")
    told = f"Claims(n={first}) makes {names[0]} as a whole, and Claims(n={second}) makes {names[1]}"
    assert told in str(caught.value)


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize("inner", [S3ObjectTarget("lake", "p/x"), S3PrefixTarget("lake", "p/q/r")])
def test_an_object_inside_a_prefix_is_refused(inner: Any) -> None:
    with pytest.raises(PlanError, match=r"'s3://lake/p/' as a whole, and .* inside it"):
        planned(S3PrefixTarget("lake", "p"), inner)


def test_two_outputs_of_one_task_may_not_be_nested_either() -> None:
    outputs = {"all": LocalFolderTarget("s5"), "one": LocalFileTarget("s5/x.txt")}
    with pytest.raises(PlanError, match=r"makes 's5' as a whole, and 's5/x.txt' inside it"):
        planned(outputs)


def test_neighbours_whose_names_begin_alike_are_no_conflict() -> None:
    planned(
        *(LocalFolderTarget("s5"), LocalFileTarget("s5.txt"), LocalFolderTarget("s55/s5")),
        *(LocalFileTarget("a/s5/x"), LocalFileTarget("a/s5/y"), LocalFileTarget("/s5")),
    )


@pytest.mark.usefixtures("s3")
def test_keys_may_begin_with_other_keys() -> None:
    planned(
        S3ObjectTarget("lake", "k"), S3ObjectTarget("lake", "k/x"), S3PrefixTarget("lake", "kk")
    )


def test_what_others_make_may_lie_around_and_inside() -> None:
    planned(LocalFolderTarget("data/made"), given=LocalFolderTarget("data"))
    planned(LocalFolderTarget("data/made"), given=LocalFileTarget("data/made/x"))
