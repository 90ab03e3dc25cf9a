"""From what a class reaches to its fingerprint.

A part's own fingerprint covers its text and what its names lead to, by full dotted names. The
fingerprint of the whole leaves module names out, so that moving a function to another module is no
change; that a name now leads to another function of the same name still is, for every use of a name
enters with the digest of what it leads to.
"""

from __future__ import annotations

import hashlib
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from superluigi.code.canonical import DIGEST_DIGITS, digest_of
from superluigi.code.linker import Place
from superluigi.code.project_code import Module, ProjectCode
from superluigi.code.reach import Reached
from superluigi.code.records import CodeFingerprint, CodePart, NotFollowed

__all__ = ["ALGORITHM", "assemble", "fingerprint_of_text", "full_name"]

ALGORITHM = "code1"
"""Names the algorithm in every fingerprint; another canonical form or rule needs another name."""


def fingerprint_of_text(*texts: str) -> str:
    """`code1:` and 32 hex digits over several texts."""
    return f"{ALGORITHM}:{digest_of(*texts)}"


def full_name(place: Place) -> str:
    """The dotted name of a unit with its module."""
    return f"{place[0].name}.{place[1]}"


def assemble(project: ProjectCode, reached: Reached, *marks: str) -> CodeFingerprint:
    """The fingerprint of what a class reaches.

    Args:
        project: Where sources and relative paths come from.
        reached: What it reaches.
        marks: Texts that count besides.
    """
    uses = defaultdict(set)
    for user, label, target in reached.edges:
        uses[user].add((label, target))
    files = dict(_files(project, reached.files))
    digests = {
        place: digest_of("unit", unit.digest, *_bindings(uses[place], full=False))
        for place, unit in reached.units.items()
    }
    rows = [f"unit {name} {digest}" for (_, name), digest in digests.items()]
    rows += [
        f"use {user[1]} {label} {digests[target]}"
        for user, label, target in reached.edges
        if not isinstance(target, str) and target in digests
    ]
    rows += [f"family {name}" for name in reached.families]
    rows += [f"file {path.rpartition('/')[2]} {part.fingerprint}" for path, part in files.items()]
    rows += [f"mark {mark}" for mark in marks]
    parts = [
        CodePart(
            name=full_name(place),
            file=project.relative(place[0].path) or place[0].name,
            line=unit.line,
            fingerprint=fingerprint_of_text(
                "part", unit.digest, *_bindings(uses[place], full=True)
            ),
            source=_source(project, place[0], unit.spans),
        )
        for place, unit in reached.units.items()
    ]
    return CodeFingerprint(
        fingerprint_of_text("task", *sorted(set(rows))),
        tuple(sorted([*parts, *files.values()], key=lambda part: (part.name, part.file))),
        tuple(
            sorted({*_not_followed(project, reached), *_loaded_from_elsewhere(project, reached)})
        ),
    )


def _bindings(uses: Iterable[tuple[str, Place | str]], *, full: bool) -> list[str]:
    """What local names lead to, as sorted texts."""
    rows = set()
    for label, target in uses:
        if isinstance(target, str):
            rows.add(f"{label} {target}")
        else:
            rows.add(f"{label} project:{full_name(target) if full else target[1]}")
    return sorted(rows)


def _source(project: ProjectCode, module: Module, spans: Iterable[list[int]]) -> str:
    lines = project.lines(module)
    return "\n".join(line for first, last in spans for line in lines[first - 1 : last])


def _files(project: ProjectCode, paths: Iterable[str]) -> Iterator[tuple[str, CodePart]]:
    """Files of code that are no Python of ours: their bytes, whatever ends their lines."""
    for path in sorted(paths):
        try:
            content = Path(path).read_bytes().replace(b"\r\n", b"\n")
        except OSError:
            continue
        name = project.relative(path) or path.rpartition("/")[2]
        digest = hashlib.sha256(content).hexdigest()[:DIGEST_DIGITS]
        source = content.decode("utf-8", "replace")
        yield path, CodePart(name, name, 1, f"{ALGORITHM}:{digest}", source)


def _not_followed(project: ProjectCode, reached: Reached) -> Iterator[NotFollowed]:
    for place, kind, line, text in reached.not_followed:
        module = place[0]
        file = project.relative(module.path) or module.name
        yield NotFollowed(kind, full_name(place), file, line, text)


def _loaded_from_elsewhere(project: ProjectCode, reached: Reached) -> Iterator[NotFollowed]:
    """Modules that the running program has loaded from another file than the one read here."""
    modules = {module for module, _ in reached.units}
    for dotted, module in project.found():
        loaded = getattr(sys.modules.get(dotted), "__file__", None)
        if module not in modules or module.kind != "source" or not isinstance(loaded, str):
            continue
        if loaded != module.path and Path(loaded).resolve() != Path(module.path).resolve():
            name = project.relative(Path(loaded).as_posix()) or Path(loaded).name
            yield NotFollowed("other_file", dotted, project.relative(module.path) or "", 0, name)
