"""The corpus: small projects before and after one edit, and what the edit is to change.

Each case in `cases/*.txt` is `=== name`, a line that says what is expected, and files in a
notation like a diff: lines that start with `-` stand only before the edit, with `+` only after.
`## path` begins a file; what comes first is `flow.py`, which imports luigi. `class:` and `file:`
name the task where it is not `T` in `flow.py`.

Expected is `same`, `differs` with the parts that change, `listed` with a kind (the fingerprint
stays, and says so), or `differs+listed` with both. Standard library only: it also runs under
interpreters without anything installed, and prints every fingerprint of a written corpus as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent


@dataclass
class Case:
    name: str
    expected: str
    parts: set[str]
    kind: str
    qualname: str = "T"
    file: str = "flow.py"
    lines: list[tuple[str, str, str]] = field(default_factory=list)
    """File, mark (`-`, `+` or neither) and text."""

    def tree(self, mark: str) -> dict[str, str]:
        files: dict[str, list[str]] = {}
        for file, which, text in self.lines:
            lines = files.setdefault(file, [])
            if which in ("", mark):
                lines.append(text)
        return {file: "\n".join(lines) + "\n" for file, lines in files.items()}


def load_cases() -> list[Case]:
    cases = []
    for path in sorted((HERE / "cases").glob("*.txt")):
        cases += [parsed(text) for text in path.read_text(encoding="utf-8").split("=== ")[1:]]
    return cases


def pinned_project() -> dict[str, str]:
    """A project of several modules whose fingerprints are pinned, by file."""
    text = (HERE / "pinned_project.txt").read_text(encoding="utf-8")
    return parsed(f"pinned\nsame\n{text}").tree("-")


def parsed(text: str) -> Case:
    name, expected, *lines = text.rstrip().split("\n")
    word, *rest = expected.split()
    kind = rest.pop() if "listed" in word else ""
    case = Case(name, word, set(rest), kind)
    file = ""
    for line in lines:
        if line.startswith("class: "):
            case.qualname = line[7:]
        elif line.startswith("file: "):
            case.file = line[6:]
        elif line.startswith("## "):
            file = line[3:]
            case.lines.append((file, "none", ""))
        else:
            if not file:
                file = "flow.py"
                case.lines.append((file, "", "import luigi"))
            mark = line[:1] if line[:1] in ("-", "+") else ""
            case.lines.append((file, mark, line[len(mark) :]))
    return case


def write_tree(root: Path, tree: dict[str, str]) -> Path:
    (root / "pyproject.toml").parent.mkdir(parents=True, exist_ok=True)
    (root / "pyproject.toml").write_text("", encoding="utf-8")
    for name, text in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def write_corpus(directory: Path) -> None:
    """Write every case twice: as it stands before its edit, and after."""
    for number, case in enumerate(load_cases()):
        for mark in "-+":
            write_tree(directory / f"{number}{mark}", case.tree(mark))


def read_corpus(directory: Path) -> dict[str, list[dict[str, object]]]:
    """Name of every case → what its two versions come to, as JSON types."""
    from superluigi.code import Fingerprinter

    found: dict[str, list[dict[str, object]]] = {}
    for number, case in enumerate(load_cases()):
        for mark in "-+":
            file = directory / f"{number}{mark}" / case.file
            code = Fingerprinter().fingerprint_at(file, case.qualname)
            found.setdefault(case.name, []).append(code.to_dict() if code else {})
    return found


if __name__ == "__main__":
    json.dump(read_corpus(Path(sys.argv[1])), sys.stdout)
