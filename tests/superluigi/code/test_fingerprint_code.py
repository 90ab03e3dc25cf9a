import json
import linecache
import sys
import types
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import luigi
import pytest
from luigi.tools.range import RangeDaily

from superluigi.code import CodeFingerprint, Fingerprinter, fingerprint_code
from tests.superluigi.code.corpus import pinned_project

Load = Callable[[dict[str, str], str], ModuleType]

TASK = """
import luigi
K = 1
class T(luigi.Task):
    def run(self):
        return K
"""


def _kinds(code: CodeFingerprint) -> set[str]:
    return {entry.kind for entry in code.not_followed}


def test_a_task_and_its_class_have_one_fingerprint(import_from: Load) -> None:
    module = import_from({"flow.py": TASK}, "flow")
    assert fingerprint_code(module.T()) == fingerprint_code(module.T)


def test_the_parts_say_where_they_stand(import_from: Load) -> None:
    module = import_from({"flows/daily.py": TASK}, "flows.daily")
    code = fingerprint_code(module.T)
    assert [(part.name, part.file, part.line) for part in code.parts] == [
        ("flows.daily.K", "flows/daily.py", 3),
        ("flows.daily.T", "flows/daily.py", 4),
        ("flows.daily.T.run", "flows/daily.py", 5),
    ]
    assert code.parts[2].source == "    def run(self):\n        return K"
    assert code.not_followed == ()


def test_it_is_json_with_sources_only_when_asked_for(import_from: Load) -> None:
    module = import_from({"flow.py": TASK + "X = eval('1')\nT.run.x = X"}, "flow")
    code = fingerprint_code(module.T)
    plain, full = code.to_dict(), code.to_dict(include_source=True)
    assert json.loads(json.dumps(full)) == full
    assert set(plain) == {"fingerprint", "parts", "not_followed"}
    assert set(plain["parts"][0]) == {"name", "file", "line", "fingerprint"}
    assert set(full["parts"][0]) == {"name", "file", "line", "fingerprint", "source"}
    assert plain["not_followed"] == [
        {
            "kind": "eval",
            "name": "flow.X",
            "file": "flow.py",
            "line": 7,
            "text": "X = eval('1')",
        }
    ]


def test_fingerprints_name_their_algorithm_and_have_128_bits(import_from: Load) -> None:
    code = fingerprint_code(import_from({"flow.py": TASK}, "flow").T)
    for text in (code.fingerprint, *(part.fingerprint for part in code.parts)):
        assert text is not None
        algorithm, _, digits = text.partition(":")
        assert algorithm == "code1"
        assert len(digits) == 32
        assert int(digits, 16)


def test_code_version_replaces_what_is_computed(import_from: Load) -> None:
    class One(luigi.Task):
        code_version = "2"

        def run(self) -> None:
            """Some code."""

    class Two(luigi.Task):
        code_version = "2"

    class Three(luigi.Task):
        code_version = "3"

    code = fingerprint_code(One)
    assert code.parts == ()
    assert code.code_version == "2"
    assert code.to_dict()["code_version"] == "2"
    assert code.fingerprint == fingerprint_code(Two).fingerprint
    assert code.fingerprint != fingerprint_code(Three).fingerprint


def test_a_number_is_a_code_version_and_a_flag_is_none() -> None:
    class One(luigi.Task):
        code_version = 2

    class Two(luigi.Task):
        code_version = True

    assert fingerprint_code(One).code_version == "2"
    assert fingerprint_code(Two).code_version is None


def test_code_fingerprint_false_switches_it_off() -> None:
    class Off(luigi.Task):
        code_fingerprint = False

    assert fingerprint_code(Off) == CodeFingerprint(None)
    assert fingerprint_code(Off).to_dict()["fingerprint"] is None


def test_an_edit_on_disk_is_seen_by_the_next_call(import_from: Load, tmp_path: Path) -> None:
    module = import_from({"flow.py": TASK}, "flow")
    before = fingerprint_code(module.T)
    path = tmp_path / "project" / "flow.py"
    path.write_text(TASK.replace("K = 1", "K = 2"), encoding="utf-8")
    after = fingerprint_code(module.T)
    assert before.fingerprint != after.fingerprint
    assert [part.name for part in set(before.parts) ^ set(after.parts)] == ["flow.K"] * 2


def test_a_wrapped_run_counts_like_a_plain_one(import_from: Load) -> None:
    module = import_from({"flow.py": TASK}, "flow")
    plain = fingerprint_code(module.T)
    user_run = module.T.run

    def run(self: Any) -> Any:
        return user_run(self)

    run.__wrapped__ = user_run  # type: ignore[attr-defined]
    module.T.run = run
    assert fingerprint_code(module.T) == plain


def test_a_class_made_by_type_is_listed_and_its_bases_count(import_from: Load) -> None:
    source = TASK + "Made = type('Made', (T,), {'__module__': __name__})\n"
    code = fingerprint_code(import_from({"flow.py": source}, "flow").Made)
    assert _kinds(code) == {"class_made_at_run_time"}
    assert {"flow.Made", "flow.T.run", "flow.K"} <= {part.name for part in code.parts}


def test_a_task_class_made_in_a_function_is_read_there(import_from: Load) -> None:
    source = (
        TASK + "def make(n):\n    class Made(T):\n        k = n\n    return Made\nM = make(1)\n"
    )
    code = fingerprint_code(import_from({"flow.py": source}, "flow").M)
    assert {"flow.make", "flow.make.<locals>.Made", "flow.T.run"} <= {
        part.name for part in code.parts
    }
    assert code.not_followed == ()


def test_a_class_whose_source_is_lost_is_listed() -> None:
    namespace: dict[str, Any] = {"__name__": "gone"}
    exec("class Lost:\n    def run(self): return 1\n", namespace)
    code = fingerprint_code(namespace["Lost"])
    assert _kinds(code) == {"lost_source"}
    assert code.fingerprint is not None
    assert code.parts == ()


def test_a_deleted_source_is_lost(import_from: Load, tmp_path: Path) -> None:
    module = import_from({"flow.py": TASK}, "flow")
    (tmp_path / "project" / "flow.py").unlink()
    linecache.clearcache()
    assert "lost_source" in _kinds(fingerprint_code(module.T))


def test_a_task_with_a_base_of_an_unknown_library_is_known_by_luigis_register(
    import_from: Load, tmp_path: Path
) -> None:
    installed = tmp_path / "project" / "site-packages"
    tree = {"site-packages/company.py": "import luigi\nclass Job(luigi.Task): pass\n"}
    tree["flow.py"] = (
        "import sys\n"
        f"sys.path.append({str(installed)!r})\n"
        "import luigi, company\n"
        "class Up(company.Job):\n"
        "    def run(self): return 1\n"
        "class T(luigi.Task):\n"
        "    def requires(self): return Up()\n"
    )
    module = import_from(tree, "flow")
    try:
        names = [part.name for part in fingerprint_code(module.T).parts]
    finally:
        sys.path.remove(str(installed))
        del sys.modules["company"]
    assert names == ["flow.T", "flow.T.requires"]


def test_a_class_of_luigi_counts_by_its_name() -> None:
    code = fingerprint_code(RangeDaily)
    assert _kinds(code) == {"library"}
    assert code.fingerprint != fingerprint_code(luigi.WrapperTask).fingerprint


class _Hostile(type):
    def __getattribute__(cls, name: str) -> Any:
        if name in ("__module__", "__qualname__", "code_version"):
            message = f"no {name} for you"
            raise RuntimeError(message)
        return super().__getattribute__(name)


@pytest.mark.parametrize(
    "odd",
    [
        _Hostile("Odd", (), {}),
        type("NoModule", (), {"__module__": None}),
        type("Unknown", (), {"__module__": "no.such.module"}),
        type("Empty", (), {"__module__": ""}),
        None,
        3,
        len,
        luigi,
    ],
    ids=["hostile", "no module", "unknown", "empty", "none", "number", "builtin", "module"],
)
def test_odd_objects_never_raise(odd: object) -> None:
    code = fingerprint_code(odd)
    assert code.fingerprint is not None
    assert code.not_followed
    json.dumps(code.to_dict(include_source=True))


def test_a_program_without_an_ending_is_read(
    import_from: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = import_from({"flow.py": TASK}, "flow")
    expected = fingerprint_code(module.T).fingerprint
    path = tmp_path / "project" / "flow"
    path.with_suffix(".py").rename(path)
    monkeypatch.setattr(module, "__file__", str(path))
    code = fingerprint_code(module.T)
    assert code.fingerprint == expected
    assert {part.file for part in code.parts} == {"flow"}


def test_a_string_that_can_be_no_file_name_is_none(import_from: Load) -> None:
    long = "x" * 280 + ".sql"
    source = TASK.replace("return K", f"return K, {long!r}, '\\0.sql'")
    code = fingerprint_code(import_from({"flow.py": source}, "flow").T)
    assert [entry.kind for entry in code.not_followed] == ["file", "file"]


def test_a_module_that_was_loaded_from_another_file_is_listed(import_from: Load) -> None:
    tree = {"flow.py": "import lib\n" + TASK.replace("return K", "return lib.f()")}
    tree["lib.py"] = "def f(): return 1\n"
    module = import_from(tree, "flow")
    module.lib.__file__ = __file__
    entries = fingerprint_code(module.T).not_followed
    assert [(entry.kind, entry.name) for entry in entries] == [("other_file", "lib")]


def test_many_classes_in_one_pass_and_edits_in_the_next(import_from: Load, tmp_path: Path) -> None:
    module = import_from(pinned_project(), "flows.report")
    fingerprinter = Fingerprinter()
    before = fingerprinter.fingerprint(module.Report)
    parsed = fingerprinter.parsed
    path = tmp_path / "project" / "flows" / "registry.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nCLEANERS['a'] = 1\n", encoding="utf-8")
    assert fingerprinter.fingerprint(module.Report) == before
    fingerprinter.refresh()
    assert fingerprinter.fingerprint(module.Report).fingerprint != before.fingerprint
    assert fingerprinter.parsed == parsed + 1


def test_importing_the_package_imports_neither_luigi_nor_anything_heavy() -> None:
    import subprocess

    code = (
        "import sys; before = set(sys.modules); import superluigi.code; "
        "print([m for m in ('luigi', 'boto3', 'sqlite3', 'click', 'tempfile', 'asyncio') "
        "if m in sys.modules and m not in before])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout.strip() == "[]"


def _run_cell(module: ModuleType, name: str, text: str) -> None:
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), module.__dict__)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = types.ModuleType("__notebook__")
    monkeypatch.setitem(sys.modules, "__notebook__", module)
    monkeypatch.setattr(linecache, "cache", {})
    _run_cell(module, "<ipython-input-1-a>", "import json\nimport luigi\nK = 1\n")
    _run_cell(module, "<ipython-input-2-b>", "def helper():\n    return json.dumps(K)\n")
    _run_cell(
        module,
        "<ipython-input-3-c>",
        "class T(luigi.Task):\n    def run(self):\n        return helper()\n",
    )
    return module


def test_the_cells_of_a_notebook_are_read(notebook: ModuleType) -> None:
    code = fingerprint_code(notebook.T)
    assert [part.name for part in code.parts] == [
        "__notebook__.K",
        "__notebook__.T",
        "__notebook__.T.run",
        "__notebook__.helper",
    ]
    assert code.not_followed == ()
    assert code == fingerprint_code(notebook.T)


def test_a_cell_that_redefines_a_helper_is_seen(notebook: ModuleType) -> None:
    before = fingerprint_code(notebook.T)
    _run_cell(notebook, "<ipython-input-4-d>", "def helper():\n    return K + 1\n")
    after = fingerprint_code(notebook.T)
    changed = {part.name for part in set(before.parts) ^ set(after.parts)}
    assert before.fingerprint != after.fingerprint
    assert "__notebook__.helper" in changed


def test_a_cell_that_sets_a_constant_is_seen(notebook: ModuleType) -> None:
    before = fingerprint_code(notebook.T)
    _run_cell(notebook, "<ipython-input-4-d>", "K = {'a': (1, 2.5), 'b': {3, 'c'}, None: [b'x']}\n")
    assert before.fingerprint != fingerprint_code(notebook.T).fingerprint


def test_a_cell_of_no_interest_is_not_seen(notebook: ModuleType) -> None:
    before = fingerprint_code(notebook.T)
    _run_cell(notebook, "<ipython-input-4-d>", "L = 2\ndef other(): return L\n_ = 5\n_i4 = 'x'\n")
    assert before.fingerprint == fingerprint_code(notebook.T).fingerprint


@pytest.mark.parametrize(
    "value",
    ["object()", "[1, {2: object()}]", "{1, luigi}", "'a' * 1_000_000", "[[0] * 1000] * 1000"],
)
def test_a_value_that_is_no_literal_is_listed(notebook: ModuleType, value: str) -> None:
    _run_cell(notebook, "<ipython-input-4-d>", f"K = {value}\n")
    assert _kinds(fingerprint_code(notebook.T)) == {"value"}


def test_a_value_that_cannot_be_looked_at_is_listed(notebook: ModuleType) -> None:
    class Proxy:
        @property
        def __class__(self) -> Any:  # type: ignore[override]
            message = "working outside of context"
            raise RuntimeError(message)

    notebook.__dict__["K"] = Proxy()
    assert _kinds(fingerprint_code(notebook.T)) == {"value"}


def test_a_function_of_a_module_is_followed_from_a_notebook(
    notebook: ModuleType, import_from: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_from({"lib.py": "def f():\n    return 1\n"}, "lib")
    monkeypatch.chdir(tmp_path / "project")
    _run_cell(notebook, "<ipython-input-4-d>", "from lib import f as helper\n")
    code = fingerprint_code(notebook.T)
    assert "lib.f" in {part.name for part in code.parts}
    assert code.not_followed == ()


def test_a_lost_cell_is_listed(notebook: ModuleType) -> None:
    del linecache.cache["<ipython-input-2-b>"]
    assert _kinds(fingerprint_code(notebook.T)) == {"value"}
    del linecache.cache["<ipython-input-3-c>"]
    assert _kinds(fingerprint_code(notebook.T)) == {"lost_source"}


def test_a_class_of_a_notebook_without_a_function_is_found_by_its_name(
    notebook: ModuleType,
) -> None:
    _run_cell(notebook, "<ipython-input-4-d>", "class Plain(T):\n    k = 1\n")
    before = fingerprint_code(notebook.Plain)
    _run_cell(notebook, "<ipython-input-5-e>", "class Plain(T):\n    k = 1\n    requires = None\n")
    assert "lost_source" not in _kinds(before)
    assert before.fingerprint != fingerprint_code(notebook.Plain).fingerprint
