import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from luigi.task_register import Register

from tests.superluigi.code.corpus import write_corpus, write_tree


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the written corpus."""
    directory = tmp_path_factory.mktemp("corpus")
    write_corpus(directory)
    return directory


@pytest.fixture
def import_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[dict[str, str], str], ModuleType]]:
    """Write a project and import one of its modules; both are gone after the test."""
    before = set(sys.modules)
    registered = list(Register._reg)
    root = tmp_path / "project"
    packages: set[str] = set()

    def load(tree: dict[str, str], name: str) -> ModuleType:
        write_tree(root, tree)
        packages.update(path.split("/")[0].removesuffix(".py") for path in tree)
        monkeypatch.syspath_prepend(root)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield load
    Register._reg = registered
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in packages:
            del sys.modules[name]
