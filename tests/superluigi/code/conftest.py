import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from luigi.task_register import Register

from tests.superluigi.code.corpus import write_tree


@pytest.fixture
def import_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[dict[str, str], str], ModuleType]]:
    """Write a project and import one of its modules; both are gone after the test."""
    before = set(sys.modules)
    registered = list(Register._reg)
    root = tmp_path / "project"

    def load(tree: dict[str, str], name: str) -> ModuleType:
        write_tree(root, tree)
        monkeypatch.syspath_prepend(root)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield load
    Register._reg = registered
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(root)):
            del sys.modules[name]
