from __future__ import annotations

from pathlib import Path

import luigi
import luigi.mock
import pytest

from superluigi.targets import LocalFileTarget, LocalFolderTarget
from superluigi.targets.foreign import adapt

pytestmark = pytest.mark.usefixtures("project")


def test_our_own_targets_are_themselves() -> None:
    target = LocalFolderTarget("x")
    assert adapt(target) is target


def test_a_plain_local_target_is_what_stands_there() -> None:
    Path("folder").mkdir()
    assert adapt(luigi.LocalTarget("folder")) == LocalFolderTarget("folder")
    assert adapt(luigi.LocalTarget("file.txt")) == LocalFileTarget("file.txt")
    assert adapt(luigi.LocalTarget(Path("x/y"))) == LocalFileTarget("x/y")


def test_a_subclass_of_a_plain_local_target_is_seen_too() -> None:
    class Own(luigi.LocalTarget):
        pass

    assert adapt(Own("x")) == LocalFileTarget("x")


def test_what_has_no_bytes_of_its_own_is_not_adapted() -> None:
    assert adapt(luigi.mock.MockTarget("x")) is None


def test_luigis_s3_target_is_an_object_or_a_prefix() -> None:
    from luigi.contrib.s3 import S3Target

    from superluigi.targets import S3ObjectTarget, S3PrefixTarget

    assert adapt(S3Target("s3://lake/a b#c.csv")) == S3ObjectTarget("lake", "a b#c.csv")
    assert adapt(S3Target("s3://lake/folder/")) == S3PrefixTarget("lake", "folder/")
