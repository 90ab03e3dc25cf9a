"""Alter every unit in turn: one that is reached changes its own part alone, another nothing."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from superluigi.code import CodeFingerprint, Fingerprinter
from tests.superluigi.code.corpus import pinned_project, write_tree

_Node = ast.FunctionDef | ast.Assign | ast.AnnAssign


def _places(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Every function, attribute and module-level name: its qualified name, and its place in the walk."""
    nodes = list(ast.walk(tree))
    for scope in (tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))):
        prefix = f"{scope.name}." if isinstance(scope, ast.ClassDef) else ""
        for node in scope.body:
            if isinstance(node, ast.FunctionDef):
                yield f"{prefix}{node.name}", nodes.index(node)
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                yield f"{prefix}{node.targets[0].id}", nodes.index(node)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                yield f"{prefix}{node.target.id}", nodes.index(node)


def _mutated(text: str, place: int) -> str:
    tree = ast.parse(text)
    node = list(ast.walk(tree))[place]
    if isinstance(node, ast.FunctionDef):
        node.body.insert(0, ast.parse("mutated = 0").body[0])
    elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
        node.value = ast.Tuple([node.value, ast.Constant("mutated")], ast.Load())
    return ast.unparse(ast.fix_missing_locations(tree))


def _read(root: Path) -> CodeFingerprint:
    code = Fingerprinter().fingerprint_at(root / "flows" / "report.py", "Report")
    assert code is not None
    return code


def _changed(before: CodeFingerprint, after: CodeFingerprint) -> set[str]:
    old = Counter((part.name, part.fingerprint) for part in before.parts)
    new = Counter((part.name, part.fingerprint) for part in after.parts)
    return {name for name, _ in (old - new) + (new - old)}


def test_every_unit_counts_for_itself_and_only_where_it_is_reached(tmp_path: Path) -> None:
    tree = pinned_project()
    root = write_tree(tmp_path, tree)
    before = _read(root)
    names = {part.name for part in before.parts}
    outcomes: Counter[str] = Counter()
    for file, text in tree.items():
        module = file.removesuffix(".py").replace("/", ".")
        for qualname, place in _places(ast.parse(text)):
            (root / file).write_text(_mutated(text, place), encoding="utf-8")
            after = _read(root)
            (root / file).write_text(text, encoding="utf-8")
            own = f"{module}.{qualname}"
            body = f"{own.rpartition('.')[0]}.<body>"
            expected = {own} & names or ({body} & names if "." in qualname else set())
            assert _changed(before, after) == expected, own
            assert (before.fingerprint != after.fingerprint) == bool(expected), own
            outcomes["reached" if expected else "not reached"] += 1
    assert outcomes == {"reached": 22, "not reached": 10}
