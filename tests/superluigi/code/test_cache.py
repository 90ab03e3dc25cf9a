"""The cache of tables: it may be lost, never wrong."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

from superluigi.code import CodeFingerprint, Fingerprinter
from superluigi.code.cache import CACHE_SCHEMA
from tests.superluigi.code.corpus import pinned_project, write_tree


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = write_tree(tmp_path / "project", pinned_project())
    _age(root)
    return root


def _age(root: Path) -> None:
    """Make every file look old enough for its times to be trusted."""
    for path in root.rglob("*.py"):
        os.utime(path, (1e9, 1e9))


def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ctime be old too: from now on the clock is ten seconds ahead."""
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 10_000_000_000)


def _read(root: Path, cache: Path | None) -> tuple[CodeFingerprint, int]:
    """The fingerprint, and how many files were parsed for it."""
    with Fingerprinter(cache_path=cache) as fingerprinter:
        code = fingerprinter.fingerprint_at(root / "flows" / "report.py", "Report")
    assert code is not None
    return code, fingerprinter.parsed


def test_a_second_process_parses_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _later(monkeypatch)
    cache = tmp_path / "home" / "code.json"
    first, parsed = _read(root, cache)
    assert parsed == 7
    second, parsed = _read(root, cache)
    assert parsed == 0
    assert first == second == _read(root, None)[0]


def test_an_unchanged_cache_is_not_written_again(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _later(monkeypatch)
    cache = tmp_path / "code.json"
    _read(root, cache)
    before = cache.stat().st_mtime_ns
    _read(root, cache)
    assert cache.stat().st_mtime_ns == before


def test_only_an_edited_file_is_parsed_again(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _later(monkeypatch)
    cache = tmp_path / "code.json"
    before, _ = _read(root, cache)
    path = root / "flows" / "registry.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nCLEANERS['x'] = len\n", encoding="utf-8")
    after, parsed = _read(root, cache)
    assert parsed == 1
    assert before.fingerprint != after.fingerprint
    assert after == _read(root, None)[0]


def test_an_edit_of_the_same_size_that_keeps_the_mtime_is_seen(root: Path, tmp_path: Path) -> None:
    cache = tmp_path / "code.json"
    before, _ = _read(root, cache)
    path = root / "flows" / "report.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("threshold = 2", "threshold = 3"), encoding="utf-8")
    os.utime(path, (1e9, 1e9))
    after, parsed = _read(root, cache)
    assert parsed == 1
    assert before.fingerprint != after.fingerprint


def test_a_file_that_is_new_is_read_again_but_not_parsed(root: Path, tmp_path: Path) -> None:
    """Within the resolution of its clock it may have been written after it was read."""
    cache = tmp_path / "code.json"
    _read(root, cache)
    os.utime(root / "flows" / "report.py")
    fingerprinter = Fingerprinter(cache_path=cache)
    fingerprinter.fingerprint_at(root / "flows" / "report.py", "Report")
    assert fingerprinter.parsed == 0


def test_a_touched_file_is_not_parsed_again(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "code.json"
    _read(root, cache)
    _later(monkeypatch)
    os.utime(root / "flows" / "report.py", (1.1e9, 1.1e9))
    _, parsed = _read(root, cache)
    assert parsed == 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: "{",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("limit", "tilim"),
        lambda text: "[]\n[]",
        lambda text: "\x00" * 100,
        lambda text: json.dumps({"schema": None}) + "\n" + text.partition("\n")[2],
        lambda text: text.replace(f"[{CACHE_SCHEMA}, ", f"[{CACHE_SCHEMA - 1}, ", 1),
        lambda text: text.replace(f", {sys.version_info[1]}]", ", 7]", 1),
    ],
    ids=["empty", "brace", "half", "edited", "lists", "zeros", "header", "old schema", "minor"],
)
def test_a_cache_that_is_not_ours_is_not_read(root: Path, tmp_path: Path, damage: object) -> None:
    cache = tmp_path / "code.json"
    expected, _ = _read(root, cache)
    assert callable(damage)
    cache.write_text(damage(cache.read_text(encoding="utf-8")), encoding="utf-8")
    code, parsed = _read(root, cache)
    assert parsed == 7
    assert code == expected
    assert _read(root, cache)[1] == 0


def test_bytes_that_are_no_text_are_not_read(root: Path, tmp_path: Path) -> None:
    cache = tmp_path / "code.json"
    cache.write_bytes(b"\xff\xfe" * 10)
    assert _read(root, cache)[1] == 7


def test_a_cache_that_cannot_be_written_is_done_without(root: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no directory", encoding="utf-8")
    assert _read(root, blocked / "code.json")[1] == 7
    assert _read(root, tmp_path)[1] == 7


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_is_read_only_is_left_alone(root: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    assert _read(root, home / "code.json")[1] == 7
    assert list(home.iterdir()) == []


def test_nothing_but_the_cache_is_left_behind(root: Path, tmp_path: Path) -> None:
    _read(root, tmp_path / "home" / "code.json")
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["code.json"]


def test_files_that_are_gone_leave_the_cache(root: Path, tmp_path: Path) -> None:
    cache = tmp_path / "code.json"
    _read(root, cache)
    (root / "flows" / "cleaners.py").unlink()
    _read(root, cache)
    assert 'cleaners.py":' not in cache.read_text(encoding="utf-8")


def test_a_file_that_cannot_be_parsed_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = {"flow.py": "import old\nclass T:\n    def run(self): return old.f()\n"}
    root = write_tree(tmp_path / "project", tree | {"old.py": "print 'one'\n"})
    _later(monkeypatch)
    for parsed in (2, 0):
        with Fingerprinter(cache_path=tmp_path / "code.json") as fingerprinter:
            code = fingerprinter.fingerprint_at(root / "flow.py", "T")
        assert code is not None
        assert [entry.kind for entry in code.not_followed] == ["unparsable"]
        assert fingerprinter.parsed == parsed


def test_a_file_that_changes_while_it_is_read_has_no_source(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _later(monkeypatch)
    cache = tmp_path / "code.json"
    expected, _ = _read(root, cache)
    fingerprinter = Fingerprinter(cache_path=cache)
    path = root / "flows" / "report.py"
    fingerprinter.fingerprint_at(path, "Base")
    path.write_text("# gone\n", encoding="utf-8")
    code = fingerprinter.fingerprint_at(path, "Report")
    assert code is not None
    assert code.fingerprint == expected.fingerprint
    assert {part.source for part in code.parts if part.file == "flows/report.py"} == {""}
