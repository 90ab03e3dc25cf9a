"""Power loss: files that look right and are not. The machine's start is moved, nothing else is made up."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from superluigi import run_task
from superluigi.planning import reboot
from tests import flows
from tests.flows import ran


@pytest.fixture(autouse=True)
def _built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("superluigi.toml").touch()
    Path("source.txt").write_text("hello")
    run_task(flows.Raw(), progress=False)
    ran()


def lose_the_bytes() -> None:
    status = Path("raw.txt").stat()
    Path("raw.txt").write_bytes(b"\0" * status.st_size)
    os.utime("raw.txt", ns=(status.st_atime_ns, status.st_mtime_ns))


def reboot_now(monkeypatch: pytest.MonkeyPatch) -> None:
    booted_ns = time.time_ns()
    monkeypatch.setattr(reboot, "boot_time_ns", lambda: booted_ns)


def test_what_was_published_just_before_a_reboot_is_read_before_it_is_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lose_the_bytes()
    reboot_now(monkeypatch)
    result = run_task(flows.Raw(), progress=False)
    assert ran() == ["Raw"]
    assert result.ran[0].reasons[0].kind == "interrupted"
    assert Path("raw.txt").read_text() == "hello"
    assert run_task(flows.Raw(), progress=False).ran == ()


def test_what_is_whole_after_a_reboot_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    reboot_now(monkeypatch)
    assert run_task(flows.Raw(), progress=False).ran == ()


def test_a_file_edited_after_the_reboot_is_an_edited_file(monkeypatch: pytest.MonkeyPatch) -> None:
    reboot_now(monkeypatch)
    Path("raw.txt").write_text("edited")
    # The clock of files ticks more slowly than that of programs.
    later = time.time_ns() + 1_000_000_000
    os.utime("raw.txt", ns=(later, later))
    (raw,) = (d for d in run_task(flows.Raw(), progress=False).decisions if d.family == "Raw")
    assert raw.reasons[0].kind == "output_changed"


def test_the_machine_knows_when_it_was_started() -> None:
    booted_ns = reboot.boot_time_ns()
    assert booted_ns is None or 0 < booted_ns < time.time_ns()
