"""What counts as project code: roots, the search path, and what never does."""

import sys
import types
from pathlib import Path

import pytest

from superluigi.code import CodeFingerprint, Fingerprinter
from superluigi.code.roots import Root, default_root, import_base
from tests.superluigi.code.corpus import write_tree

TASK = "from lib.steps import f\nclass T:\n    def run(self): return f()\n"
STEPS = "def f(): return 1\n"


def _names(code: CodeFingerprint | None) -> list[str]:
    assert code is not None
    return [part.name for part in code.parts]


def _write(root: Path, tree: dict[str, str]) -> Path:
    write_tree(root, tree)
    if "pyproject.toml" not in tree:
        (root / "pyproject.toml").unlink()
    return root


@pytest.mark.parametrize("marker", ["pyproject.toml", "setup.py", "setup.cfg", "luigi.cfg"])
def test_the_nearest_directory_with_a_marker_is_the_root(tmp_path: Path, marker: str) -> None:
    _write(tmp_path / "repository", {"jobs/daily/flow.py": "", marker: "", "jobs/other.py": ""})
    file = tmp_path / "repository" / "jobs" / "daily" / "flow.py"
    assert default_root(file, "flow").path == (tmp_path / "repository").as_posix()


def test_a_repository_is_a_root(tmp_path: Path) -> None:
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    _write(tmp_path / "repository", {"a/flow.py": ""})
    root = default_root(tmp_path / "repository" / "a" / "flow.py", "flow")
    assert root.path == (tmp_path / "repository").as_posix()


def test_a_marker_inside_a_package_is_no_root(tmp_path: Path) -> None:
    _write(tmp_path, {"flows/luigi.cfg": "", "flows/daily.py": "", "pyproject.toml": ""})
    root = default_root(tmp_path / "flows" / "daily.py", "flows.daily")
    assert root.path != (tmp_path / "flows").as_posix()


def test_without_a_marker_the_root_is_where_the_module_is_imported_from(tmp_path: Path) -> None:
    file = tmp_path / "flows" / "daily.py"
    _write(tmp_path, {"flows/daily.py": ""})
    assert import_base(file, "flows.daily") == tmp_path
    assert import_base(file, "daily") == tmp_path / "flows"
    assert import_base(file, "__main__") == tmp_path / "flows"
    (tmp_path / "flows" / "__init__.py").touch()
    assert import_base(file, "__main__") == tmp_path
    assert import_base(tmp_path / "flows" / "__init__.py", "flows") == tmp_path


def test_a_home_directory_is_never_a_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    tree = {"flow.py": "import beside\nimport pkg.lib\nclass T:\n    def run(self):\n"}
    tree["flow.py"] += "        return beside.f(), pkg.lib.f()\n"
    write_tree(tmp_path, tree | {"beside.py": STEPS, "pkg/__init__.py": "", "pkg/lib.py": STEPS})
    assert default_root(tmp_path / "flow.py", "flow") == Root(tmp_path.as_posix(), is_shallow=True)
    code = Fingerprinter().fingerprint_at(tmp_path / "flow.py", "T")
    assert _names(code) == ["beside.f", "flow.T", "flow.T.run"]
    assert default_root(tmp_path / "a" / "flow.py", "flow").path == f"{tmp_path.as_posix()}/a"


def test_the_root_of_the_disk_is_never_a_root() -> None:
    assert default_root(Path("/flow.py"), "flow").is_shallow


def test_a_root_below_contains_only_what_is_below() -> None:
    assert Root("/a").relative("/a/b/c.py") == "b/c.py"
    assert Root("/a").relative("/ab/c.py") is None
    assert Root("/").relative("/a/b.py") == "a/b.py"
    assert Root("/a", package="p").relative("/a/p/c.py") == "p/c.py"
    assert Root("/a", package="p").relative("/a/p.py") == "p.py"
    assert Root("/a", package="p").relative("/a/pq/c.py") is None
    assert Root("/a", is_shallow=True).relative("/a/b/c.py") is None


def test_code_outside_of_the_root_is_followed_where_it_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(tmp_path / "project", {"flow.py": TASK})
    write_tree(tmp_path / "elsewhere", {"lib/steps.py": STEPS})
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    file = tmp_path / "project" / "flow.py"
    assert _names(Fingerprinter().fingerprint_at(file, "T")) == ["flow.T", "flow.T.run"]
    roots = [tmp_path / "elsewhere", str(tmp_path / "project")]
    followed = ["flow.T", "flow.T.run", "lib.steps.f"]
    assert _names(Fingerprinter(roots=roots).fingerprint_at(file, "T")) == followed
    assert _names(Fingerprinter(roots=roots[:1]).fingerprint_at(file, "T")) == followed


def test_an_installed_package_is_followed_where_it_is_included(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "env" / "site-packages"
    _write(installed, {"lib/__init__.py": "", "lib/steps.py": STEPS, "other.py": STEPS})
    write_tree(tmp_path / "project", {"flow.py": "import other\n" + TASK + "x = other.f\n"})
    monkeypatch.syspath_prepend(installed)
    file = tmp_path / "project" / "flow.py"
    assert _names(Fingerprinter().fingerprint_at(file, "T")) == ["flow.T", "flow.T.run"]
    code = Fingerprinter(includes=["lib", "no_such_package"]).fingerprint_at(file, "T")
    assert _names(code) == ["flow.T", "flow.T.run", "lib.steps.f"]


def test_a_project_that_is_itself_installed_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "env" / "site-packages"
    tree = {"pkg/__init__.py": "", "pkg/steps.py": STEPS, "lib/steps.py": STEPS}
    tree["pkg/flow.py"] = "from .steps import f as g\n" + TASK.replace("f()", "f() + g()")
    _write(installed, tree)
    monkeypatch.syspath_prepend(installed)
    code = Fingerprinter().fingerprint_at(installed / "pkg" / "flow.py", "T")
    assert _names(code) == ["pkg.flow.T", "pkg.flow.T.run", "pkg.steps.f"]


def test_excluded_modules_count_as_a_library(tmp_path: Path) -> None:
    task = TASK.replace("f()", "f(), lib.steps.f()")
    tree = {"flow.py": f"import lib\n{task}", "lib/__init__.py": ""}
    root = write_tree(tmp_path, tree | {"lib/steps.py": STEPS})
    for excluded in ("lib", "lib.steps"):
        code = Fingerprinter(excludes=[excluded]).fingerprint_at(root / "flow.py", "T")
        assert _names(code) == ["flow.T", "flow.T.run"]
        assert code is not None
        assert code.not_followed == ()


def test_a_namespace_may_lie_in_two_directories(tmp_path: Path) -> None:
    tree = {"flow.py": "import space.a, space.b\nclass T:\n    def run(self):\n"}
    tree["flow.py"] += "        return space.a.f(), space.b.f()\n"
    root = write_tree(tmp_path, tree | {"space/a.py": STEPS, "src/space/b.py": STEPS})
    code = Fingerprinter().fingerprint_at(root / "flow.py", "T")
    assert _names(code) == ["flow.T", "flow.T.run", "space.a.f", "space.b.f"]


def test_a_directory_named_like_a_library_is_no_module(tmp_path: Path) -> None:
    tree = {"flow.py": "import json\nimport luigi.util\nclass T:\n    def run(self):\n"}
    tree["flow.py"] += "        return json.loads('1'), luigi.util.requires\n"
    root = write_tree(tmp_path, tree | {"json/data.txt": "", "luigi/util.py": STEPS})
    code = Fingerprinter().fingerprint_at(root / "flow.py", "T")
    assert _names(code) == ["flow.T", "flow.T.run"]
    assert code is not None
    assert code.not_followed == ()


def test_a_module_of_the_project_may_be_named_like_a_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_tree(tmp_path, {"flow.py": TASK.replace("lib.steps", "queue"), "queue.py": STEPS})
    monkeypatch.syspath_prepend(root)
    code = Fingerprinter().fingerprint_at(root / "flow.py", "T")
    assert _names(code) == ["flow.T", "flow.T.run", "queue.f"]


def test_a_file_imported_under_two_names_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = {"flow.py": "import steps\n" + TASK.replace("f()", "f() + steps.f()")}
    root = write_tree(tmp_path, tree | {"lib/steps.py": STEPS})
    monkeypatch.syspath_prepend(root / "lib")
    code = Fingerprinter().fingerprint_at(root / "flow.py", "T")
    assert _names(code) == ["flow.T", "flow.T.run", "lib.steps.f"]


def test_the_tables_of_editable_installs_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_tree(tmp_path, {"flow.py": TASK, "code/lib/__init__.py": ""})
    (root / "code" / "lib" / "steps.py").write_text(STEPS, encoding="utf-8")
    table = types.ModuleType("__editable___lib_finder")
    table.__dict__["MAPPING"] = {"lib": str(root / "code" / "lib")}
    finder = type("Finder", (), {"__module__": table.__name__, "find_spec": lambda *_: None})
    monkeypatch.setitem(sys.modules, table.__name__, table)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, finder])
    code = Fingerprinter().fingerprint_at(root / "flow.py", "T")
    assert _names(code) == ["code.lib.steps.f", "flow.T", "flow.T.run"]


def test_a_link_to_the_project_is_the_project(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "project", {"flow.py": TASK, "lib/steps.py": STEPS})
    link = tmp_path / "link"
    link.symlink_to(root)
    direct = Fingerprinter(roots=[root]).fingerprint_at(root / "flow.py", "T")
    assert direct == Fingerprinter(roots=[root]).fingerprint_at(link / "flow.py", "T")
    assert direct == Fingerprinter(roots=[link]).fingerprint_at(root / "flow.py", "T")
    assert direct == Fingerprinter().fingerprint_at(link / "flow.py", "T")


def test_a_file_name_that_leads_out_of_the_project_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.sql").write_text("select 1", encoding="utf-8")
    source = "class T:\n    def run(self): return open('../secret.sql')\n"
    root = write_tree(tmp_path / "project", {"flow.py": source})
    code = Fingerprinter().fingerprint_at(root / "flow.py", "T")
    assert _names(code) == ["flow.T", "flow.T.run"]
    assert code is not None
    assert [entry.kind for entry in code.not_followed] == ["file"]


def test_a_file_or_class_that_is_not_there_has_no_fingerprint(tmp_path: Path) -> None:
    root = write_tree(tmp_path, {"flow.py": TASK, "old.py": "print 'x'\n"})
    assert Fingerprinter().fingerprint_at(root / "flow.py", "Other") is None
    assert Fingerprinter().fingerprint_at(root / "gone.py", "T") is None
    assert Fingerprinter().fingerprint_at(root / "old.py", "T") is None
