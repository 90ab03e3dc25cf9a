"""Names that are imported when they are asked for: all are there, and none is hidden by a module of its name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

PACKAGES = [
    "superluigi",
    "superluigi_catalog",
    "superluigi_catalog.reading",
    "superluigi_catalog.recording",
]


@pytest.mark.parametrize("name", PACKAGES)
def test_every_name_is_there_also_after_its_module_was_imported(name: str) -> None:
    package = importlib.import_module(name)
    for module in pkgutil.iter_modules(package.__path__):
        if module.name not in ("__main__", "mypy"):  # one runs, one needs mypy
            importlib.import_module(f"{name}.{module.name}")
    for exported in package.__all__:
        assert not inspect.ismodule(getattr(package, exported)), exported


@pytest.mark.parametrize("name", PACKAGES)
def test_what_is_not_there_is_said_as_ever(name: str) -> None:
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'nothing'"):
        importlib.import_module(name).nothing  # noqa: B018
