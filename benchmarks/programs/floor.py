"""The least that a build can cost: a bare loop writes the files, sidecars and rows that a real build left.

    python floor.py BUILT cold|check SETTING

Works in an empty directory, and prints the CPU seconds of each part as JSON. `check` looks at what stands in BUILT.
With the setting `inputs`, each input of each run is copied and removed again.
"""

import json
import os
import sqlite3
import sys
import time
from pathlib import Path

BUILT = Path(sys.argv[1])
SIDECAR = ".metadata.json"
PER_COMMIT = 50


def timed(parts, name, work, *arguments):
    started = time.process_time()
    found = work(*arguments)
    parts[name] = round(time.process_time() - started, 4)
    return found


def put(path, data):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    os.write(descriptor, data)
    os.close(descriptor)


def publish(files):
    for path, data in files.items():
        put(path + ".next", data)
        os.rename(path + ".next", path)  # noqa: PTH104


def catalog(path):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def schema_and_rows(connection):
    """The statements that make the catalog, and an INSERT with its rows for each table."""
    made = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    ).fetchall()
    # A full-text index brings tables of its own, and is filled by triggers.
    ours = [row for row in made if not row[1].startswith(("sqlite_", "tasks_fts_"))]
    rows = {}
    for kind, name, statement in ours:
        if kind == "table" and "VIRTUAL" not in statement:
            found = connection.execute(f'SELECT * FROM "{name}"').fetchall()  # noqa: S608
            if found:
                places = ", ".join("?" * len(found[0]))
                rows[f'INSERT INTO "{name}" VALUES ({places})'] = found  # noqa: S608
    return [statement for *_, statement in ours], rows


def insert(connection, rows, commits):
    """All rows in so many transactions, each with its share of every table."""
    for number in range(commits):
        connection.execute("BEGIN IMMEDIATE")
        for statement, all_of_table in rows.items():
            size = len(all_of_table)
            share = all_of_table[number * size // commits : (number + 1) * size // commits]
            if share:
                connection.executemany(statement, share)
        connection.execute("COMMIT")


def copy(count):
    for number in range(count):
        put(f"copy-{number}", b"name")
        os.unlink(f"copy-{number}")  # noqa: PTH108


def cold():
    results = {f"out/{path.name}": path.read_bytes() for path in (BUILT / "out").iterdir()}
    sidecars = {path: data for path, data in results.items() if path.endswith(SIDECAR)}
    targets = {path: data for path, data in results.items() if path not in sidecars}
    statements, rows = schema_and_rows(catalog(BUILT / ".superluigi" / "catalog.db"))
    Path("out").mkdir()
    parts = {}
    if sys.argv[3] == "inputs":
        count = next(len(found) for statement, found in rows.items() if '"run_inputs"' in statement)
        timed(parts, "copies", copy, count)
    timed(parts, "files", publish, targets)
    timed(parts, "sidecars", publish, sidecars)
    for name, commits in (
        ("rows", max(1, len(targets) // PER_COMMIT)),
        ("rows, a commit for each run", len(targets)),
    ):
        connection = catalog(f"{commits}.db")
        for statement in statements:
            connection.execute(statement)
        timed(parts, name, insert, connection, rows, commits)
    return parts


def check():
    connection = catalog(BUILT / ".superluigi" / "catalog.db")
    places = [str(path) for path in (BUILT / "out").iterdir()]
    parts = {}
    timed(parts, "one look at each file", lambda: [os.stat(place) for place in places])  # noqa: PTH116
    timed(parts, "the records", schema_and_rows, connection)
    return parts


if __name__ == "__main__":
    print(json.dumps(cold() if sys.argv[2] == "cold" else check()))
