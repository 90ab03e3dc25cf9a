from __future__ import annotations

import inspect
import os
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import superluigi_catalog
from superluigi_catalog import CatalogError, errors

MODULES = [
    name for _, name, _ in pkgutil.walk_packages(superluigi_catalog.__path__, "superluigi_catalog.")
]


@pytest.mark.parametrize("name", ["superluigi_catalog", *MODULES])
def test_all_that_is_named_can_be_imported(name: str) -> None:
    module = import_module(name)
    assert [each for each in getattr(module, "__all__", ()) if not hasattr(module, each)] == []


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    tree = (errors.__doc__ or "").partition("\n\n")[2]
    listed: list[tuple[str, str]] = []
    above: list[str] = []
    for indent, name in re.findall(r"^( *)([A-Z]\w+) ", tree, re.MULTILINE):
        del above[len(indent) // 2 :]
        listed.append((name, above[-1] if above else "Exception"))
        above.append(name)
    classes = {
        (name, each.__bases__[0].__name__)
        for name, each in inspect.getmembers(errors, inspect.isclass)
        if issubclass(each, CatalogError)
    }
    assert set(listed) == classes
    assert {name for name, _ in listed} == set(errors.__all__)


def run_python(code: str) -> str:
    folder = str(Path(superluigi_catalog.__file__).parent.parent)
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": folder},
    ).stdout.strip()


BLOCK = """
import sys
for name in ("luigi", "boto3", "textual", "rich", "superluigi", "superluigi_tui", "networkx", "jsonschema"):
    sys.modules[name] = None
"""


def test_it_works_without_luigi_boto3_and_a_terminal(project_directory: Path) -> None:
    code = f"""{BLOCK}
import pkgutil, importlib, superluigi_catalog
for _, name, _ in pkgutil.walk_packages(superluigi_catalog.__path__, "superluigi_catalog."):
    importlib.import_module(name)
from superluigi_catalog import Catalog, TaskEntry
with Catalog() as catalog:
    catalog.record_tasks([TaskEntry("0" * 32, "F", "m", {{}})])
    print(catalog.upstream("0" * 32))
    try:
        catalog.upstream("0000").to_networkx()
    except superluigi_catalog.DrawingUnavailable as error:
        print(error)
"""
    assert run_python(code) == (
        "F 00000000  unknown\n\n"
        "to_networkx() needs networkx, which is not installed. Run: pip install networkx"
    )


def test_opening_a_catalog_that_needs_no_migration_imports_no_sqlite_utils(
    project_directory: Path,
) -> None:
    code = "import sys; from superluigi_catalog import Catalog; Catalog().close(); print('sqlite_utils' in sys.modules)"
    assert run_python(code) == "False"  # a new one has nothing to migrate
    assert run_python(code) == "False"


def test_the_driver_is_the_one_that_sqlite_utils_takes() -> None:
    from sqlite_utils.utils import sqlite3 as theirs

    from superluigi_catalog.storage.driver import sqlite3 as ours

    assert ours is theirs
