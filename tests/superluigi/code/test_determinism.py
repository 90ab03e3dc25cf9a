"""The same code has the same fingerprint, wherever and however it is read."""

import inspect
import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from superluigi.code import CodeFingerprint, Fingerprinter
from tests.superluigi.code.corpus import pinned_project, read_corpus, write_tree
from tests.superluigi.code.interpreters import other_interpreters, run_python

READER = str(Path(__file__).with_name("corpus.py"))

SHOW = """
import json, sys
from superluigi.code import fingerprint_code
def show(cls):
    json.dump(fingerprint_code(cls).to_dict(include_source=True), sys.stdout)
"""

PROGRAM = """
import flows.lib
class T:
    def run(self): return flows.lib.f()
if __name__ == "__main__":
    from show import show
    show(T)
"""


def _pinned(root: Path) -> CodeFingerprint:
    write_tree(root, pinned_project())
    code = Fingerprinter().fingerprint_at(root / "flows" / "report.py", "Report")
    assert code is not None
    return code


@pytest.fixture(scope="module")
def expected(corpus: Path) -> dict[str, list[dict[str, object]]]:
    return read_corpus(corpus)


@pytest.mark.parametrize("minor", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_every_minor_gives_the_same(minor: str, corpus: Path, expected: object) -> None:
    if minor not in other_interpreters():
        pytest.skip(f"no other Python {minor} on this machine")
    assert json.loads(run_python(other_interpreters()[minor], READER, str(corpus))) == expected


@pytest.mark.parametrize("seed", ["0", "1"])
def test_every_hash_seed_gives_the_same(seed: str, corpus: Path, expected: object) -> None:
    found = run_python(sys.executable, READER, str(corpus), PYTHONHASHSEED=seed)
    assert json.loads(found) == expected


def test_the_directory_of_the_checkout_does_not_count(tmp_path: Path) -> None:
    here = _pinned(tmp_path / "a")
    there = _pinned(tmp_path / "b b" / "ü")
    assert here.to_dict(include_source=True) == there.to_dict(include_source=True)


def test_windows_line_ends_do_not_count(tmp_path: Path) -> None:
    here = _pinned(tmp_path / "a")
    _pinned(tmp_path / "b")
    for path in (tmp_path / "b").rglob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    there = Fingerprinter().fingerprint_at(tmp_path / "b" / "flows" / "report.py", "Report")
    assert there is not None
    assert here.to_dict(include_source=True) == there.to_dict(include_source=True)


def test_windows_line_ends_of_a_file_of_sql_do_not_count(tmp_path: Path) -> None:
    source = "class T:\n    def run(self): return open('q.sql')\n"
    codes = []
    for name, content in (("a", b"select\n1\n"), ("b", b"select\r\n1\r\n")):
        root = write_tree(tmp_path / name, {"flow.py": source})
        (root / "q.sql").write_bytes(content)
        codes.append(Fingerprinter().fingerprint_at(root / "flow.py", "T"))
    assert codes[0] is not None
    assert codes[1] is not None
    assert codes[0].fingerprint == codes[1].fingerprint


def test_the_encoding_of_the_file_does_not_count(tmp_path: Path) -> None:
    source = "class T:\n    def run(self): return 'ä'\n"
    codes = []
    for name, content in (
        ("a", source.encode()),
        ("b", b"# -*- coding: latin-1 -*-\n" + source.encode("latin-1")),
        ("c", b"\xef\xbb\xbf" + source.encode()),
    ):
        root = write_tree(tmp_path / name, {})
        (root / "flow.py").write_bytes(content)
        codes.append(Fingerprinter().fingerprint_at(root / "flow.py", "T"))
    assert len({code.fingerprint for code in codes if code}) == 1
    assert {code.parts[1].source for code in codes if code} == {"    def run(self): return 'ä'"}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    tree = {"flows/__init__.py": "", "flows/lib.py": "def f(): return 1\n"}
    tree |= {"flows/main.py": PROGRAM, "show.py": SHOW}
    return write_tree(tmp_path / "project", tree)


def test_running_a_module_and_importing_it_give_the_same(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(program)
    path = {"PYTHONPATH": f"{program}:{Path(__file__).parents[3]}"}
    imported = "from show import show; import flows.main; show(flows.main.T)"
    spawned = (
        "import sys, flows.main; from show import show; "
        "sys.modules['__mp_main__'] = flows.main; flows.main.T.__module__ = '__mp_main__'; "
        "show(flows.main.T)"
    )
    ways: list[Any] = [
        run_python(sys.executable, "-c", imported, **path),
        run_python(sys.executable, "-c", spawned, **path),
        run_python(sys.executable, "-m", "flows.main", **path),
        run_python(sys.executable, str(program / "flows" / "main.py"), **path),
        run_python(sys.executable, "flows/main.py", **path),
    ]
    assert len(set(ways)) == 1
    names = [part["name"] for part in json.loads(ways[0])["parts"]]
    assert names == ["flows.lib.f", "flows.main.T", "flows.main.T.run"]


def test_threads_do_not_disturb_each_other(tmp_path: Path) -> None:
    expected = _pinned(tmp_path)
    fingerprinter = Fingerprinter()
    found: list[CodeFingerprint | None] = []

    def work() -> None:
        for _ in range(5):
            found.append(fingerprinter.fingerprint_at(tmp_path / "flows" / "report.py", "Report"))
            fingerprinter.refresh()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 20


@pytest.mark.parametrize(
    "deep", [" + ".join(["1"] * 500), "a" + ".f()" * 500], ids=["sum", "calls"]
)
def test_the_depth_of_the_caller_does_not_count(tmp_path: Path, deep: str) -> None:
    root = write_tree(tmp_path, {"flow.py": f"class T:\n    def run(self): return {deep}\n"})

    def nested(depth: int) -> CodeFingerprint | None:
        if depth:
            return nested(depth - 1)
        return Fingerprinter().fingerprint_at(root / "flow.py", "T")

    shallow = nested(0)
    assert shallow is not None
    assert nested(sys.getrecursionlimit() - len(inspect.stack()) - 120) == shallow


def test_a_thousand_conditions_in_a_row(tmp_path: Path) -> None:
    conditions = "".join(f"elif {number}: x = {number}\n" for number in range(1000))
    source = f"if 0: pass\n{conditions}class T:\n    def run(self): return x\n"
    root = write_tree(tmp_path, {"flow.py": source})
    code = Fingerprinter().fingerprint_at(root / "flow.py", "T")
    assert code is not None
    assert [part.name for part in code.parts] == ["flow.T", "flow.T.run", "flow.x"]
