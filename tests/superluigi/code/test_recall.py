"""What runs is in the parts: functions called under a profiler against what was read."""

import contextlib
import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

import luigi
import pytest

from superluigi.code import CodeFingerprint, fingerprint_code
from tests.superluigi.code.corpus import Case, load_cases, pinned_project

Load = Callable[[dict[str, str], str], ModuleType]

NOT_FOLLOWED = {
    "eval",
    "exec",
    "a lazy proxy for module:function",
    "a package in an environment inside the project",
    "import_module of a variable",
    "documented miss: a common method of an unpickled object",
    "documented miss: a patch in a module the task never imports",
}
"""Cases whose calls the fingerprint lists or documents as not followed."""


def _called(task: Any, root: Path) -> set[CodeType]:
    """The code of the project that a task's methods call."""
    called: set[CodeType] = set()

    def profile(frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        is_ours = code.co_filename.startswith(str(root)) and code.co_name != "<module>"
        if event == "call" and is_ours:
            called.add(code)

    def run(method: Callable[[], Any]) -> None:
        with contextlib.suppress(Exception, SystemExit):
            result = method()
            if hasattr(result, "__next__"):
                list(result)

    sys.setprofile(profile)
    try:
        for method in (task.requires, task.output, task.run):
            run(method)
    finally:
        sys.setprofile(None)
    return called


def _is_covered(code: CodeType, fingerprint: CodeFingerprint, root: Path) -> bool:
    """Whether the line that a function starts at stands in one of the parts."""
    file = Path(code.co_filename).relative_to(root).as_posix()
    line = linecache.getline(code.co_filename, code.co_firstlineno).rstrip("\n")
    return any(part.file == file and line in part.source for part in fingerprint.parts)


def _is_output_of_another(code: CodeType, case: Case) -> bool:
    """By policy another task's output counts by its family."""
    line = linecache.getline(code.co_filename, code.co_firstlineno)
    return "def output" in line and case.qualname == "T"


def test_a_pipeline_that_runs(import_from: Load, tmp_path: Path) -> None:
    module = import_from(pinned_project(), "flows.report")
    root = tmp_path / "project"
    (root / "raw.csv").write_text("a,100\nb,2\n,300\n", encoding="utf-8")
    with contextlib.chdir(root) if sys.version_info >= (3, 11) else _chdir(root):
        import datetime

        task = module.Report(day=datetime.date(2026, 1, 2))
        called = _called(task, root)
        assert Path(task.output().path).read_text(encoding="utf-8").startswith("id,size 0")
    fingerprint = fingerprint_code(task)
    missing = {code.co_name for code in called if not _is_covered(code, fingerprint, root)}
    assert len(called) >= 14
    assert missing == {"output"}, "only the raw task's output, which counts by its family"


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("case", load_cases(), ids=lambda case: case.name)
def test_what_the_cases_call(case: Case, import_from: Load, tmp_path: Path) -> None:
    if case.name in NOT_FOLLOWED:
        pytest.skip("documented as not followed")
    try:
        module = import_from(case.tree("-"), case.file.removesuffix(".py").replace("/", "."))
        cls = _class_of(module, case.qualname)
        task = cls()
    except Exception as error:
        pytest.skip(f"cannot be imported: {error}")
    assert issubclass(cls, luigi.Task)
    called = _called(task, tmp_path / "project")
    fingerprint = fingerprint_code(cls)
    missing = {
        code.co_name
        for code in called
        if not _is_covered(code, fingerprint, tmp_path / "project")
        and not _is_output_of_another(code, case)
    }
    assert missing == set()


def _class_of(module: ModuleType, qualname: str) -> Any:
    if "<locals>" in qualname:
        return module.make()
    found: Any = module
    for name in qualname.split("."):
        found = getattr(found, name)
    return found


@contextlib.contextmanager
def _chdir(path: Path) -> Any:
    """`contextlib.chdir` before Python 3.11."""
    import os

    before = Path.cwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)
