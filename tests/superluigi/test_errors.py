from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import superluigi
import superluigi_catalog
from superluigi import errors
from superluigi_catalog import errors as catalog_errors


def tree_of(root: type, indent: str = "") -> Iterator[str]:
    yield f"{indent}{root.__name__}"
    for child in root.__subclasses__():
        if child.__module__ == root.__module__:
            yield from tree_of(child, f"{indent}  ")


def drawn_tree(text: str, root: type) -> list[str]:
    """The names of a tree that is drawn in a text, indented."""
    lines = text[text.index(f"\n{root.__name__} ") + 1 :].splitlines()
    end = next((i for i, line in enumerate(lines) if not line.strip()), len(lines))
    return [line[: len(line) - len(line.lstrip())] + line.split()[0] for line in lines[:end]]


@pytest.mark.parametrize(
    ("module", "root"),
    [(errors, errors.SuperLuigiError), (catalog_errors, catalog_errors.CatalogError)],
    ids=["core", "catalog"],
)
def test_the_tree_in_the_docstring_is_that_of_the_classes(module: object, root: type) -> None:
    drawn = drawn_tree(module.__doc__ or "", root)
    assert sorted(drawn) == sorted(tree_of(root))


def test_every_error_stands_in_the_tree() -> None:
    known = {*errors.__all__, *catalog_errors.__all__}
    found = [
        f"{path}: {node.name}"
        for package in (superluigi, superluigi_catalog)
        for path in Path(package.__path__[0]).rglob("*.py")
        if path.parent.name != "demo"  # which no code of the user's calls
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        and known & {base.id for base in node.bases if isinstance(base, ast.Name)}
        and node.name not in known
        and not node.name.startswith("_")
    ]
    assert found == []
