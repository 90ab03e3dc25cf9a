from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from superluigi_catalog import Catalog
from tests.superluigi_tui.driving import driving


async def test_without_a_catalog_it_says_where_it_looked_and_what_to_do(tmp_path: Path) -> None:
    async with driving(tmp_path / ".superluigi" / "catalog.db") as driver:
        await driver.sees("No catalog here", "Looked for", "SUPERLUIGI_HOME", "superluigi run")
        await driver.press("d")
        await driver.sees("Needs attention", "TrainModel", "300 tasks")


async def test_a_catalog_that_appears_is_opened_on_demand(tmp_path: Path, demo: Path) -> None:
    path = tmp_path / "catalog.db"
    async with driving(path, "tasks") as driver:
        await driver.sees("No catalog here")
        path.write_bytes(demo.read_bytes())
        await driver.press("R")
        await driver.sees("84 tasks")


async def test_another_file_is_not_a_catalog(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"only some notes, but more than a few of them " * 50)
    async with driving(path) as driver:
        await driver.sees("Not a catalog", "Super Luigi")


async def test_a_newer_form_says_to_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    Catalog(path).close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    async with driving(path) as driver:
        await driver.sees("The catalog is too new", "Upgrade")


async def test_a_replaced_catalog_is_noticed_and_read_anew(own_demo: Path, tmp_path: Path) -> None:
    async with driving(own_demo, "tasks") as driver:
        await driver.sees("84 tasks", "live")
        other = tmp_path / "other.db"
        Catalog(other).close()
        other.replace(own_demo)
        await driver.sees("replaced: R reads it anew")
        await driver.press("R")
        await driver.sees("No tasks yet", "live")


async def test_another_catalog_is_opened_by_its_path(
    tmp_path: Path, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(demo.parent)
    async with driving(tmp_path / "none.db") as driver:
        await driver.sees("No catalog here")
        await driver.press("o")
        await driver.sees("Open another catalog")
        await driver.press("ctrl+u", *"catalog.db", "enter")
        await driver.sees("Needs attention", "84 tasks")
