from __future__ import annotations

from pathlib import Path

import pytest

from superluigi.parameters import IntParameter
from superluigi.planning.nodes import expand
from superluigi.project import Project
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata, WrapperTask


class WrappedLeaf(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget("leaf.txt")


class WrapLayer(WrapperTask):
    layer = IntParameter()
    i = IntParameter()

    def requires(self):
        if not self.layer:
            return WrappedLeaf()
        return [WrapLayer(layer=self.layer - 1, i=i) for i in range(3)]


class ReadsWrappers(AtomicTaskWithMetadata):
    def requires(self):
        return WrapLayer(layer=30, i=0)

    def output(self):
        return LocalFileTarget("reader.txt")


def test_a_diamond_of_wrappers_is_seen_through_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tasks = expand([ReadsWrappers()], Project(tmp_path, tmp_path / ".superluigi"))
    inputs = tasks[-1].inputs()
    assert [output.uri for _, _, output in inputs] == ["leaf.txt"] * 3
    assert len({place for place, _, _ in inputs}) == 3
