from __future__ import annotations

import os
import subprocess
import sys

import pytest

from superluigi_catalog.owner import is_alive, this_owner

needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="no /proc")  # noqa: PTH110


def changed(owner: str, index: int, text: str) -> str:
    parts = owner.split("|")
    parts[index] = text
    return "|".join(parts)


def test_this_process_is_alive() -> None:
    assert is_alive(this_owner())


@needs_proc
def test_a_forked_child_has_an_owner_of_its_own() -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, this_owner().encode())
        os._exit(0)
    os.close(writing)
    owner = os.read(reading, 1000).decode()
    assert owner.split("|")[2] == str(child)
    # A zombie: nobody has waited for it yet.
    assert os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT) is not None
    assert not is_alive(owner)
    os.waitpid(child, 0)
    os.close(reading)
    assert not is_alive(owner)


def test_an_ended_process_is_dead() -> None:
    code = "from superluigi_catalog.owner import this_owner; print(this_owner())"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert not is_alive(ended.stdout.strip())


@needs_proc
def test_another_process_with_the_same_id_is_not_the_owner() -> None:
    assert not is_alive(changed(this_owner(), 3, "1"))


@needs_proc
def test_nothing_survives_a_restart_of_the_host() -> None:
    space = this_owner().split("|")[1].partition("/")[2]
    assert not is_alive(changed(this_owner(), 1, f"another-boot/{space}"))


@needs_proc
def test_a_process_of_another_container_cannot_be_checked_and_counts_as_alive() -> None:
    boot = this_owner().split("|")[1].partition("/")[0]
    elsewhere = changed(this_owner(), 1, f"{boot}/pid:[1]")
    assert is_alive(changed(elsewhere, 2, "999999"))


@pytest.mark.parametrize(
    "owner", ["elsewhere|boot|1|2", "", "no owner", "a|b|c|d", "a|b|1|2|3", "||-1|"]
)
def test_what_cannot_be_checked_counts_as_alive(owner: str) -> None:
    assert is_alive(owner)


def test_an_id_that_no_system_has_is_dead() -> None:
    assert not is_alive(changed(this_owner(), 2, "9" * 30))


def test_a_process_of_another_user_is_alive() -> None:
    if os.getuid() == 0:
        pytest.skip("root may signal everybody")
    assert is_alive(changed(changed(this_owner(), 2, "1"), 3, ""))
