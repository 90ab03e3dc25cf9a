"""Literal fingerprints: a change to the canonical form must break a test and rename the algorithm."""

import hashlib
import json
from pathlib import Path

from superluigi.code import Fingerprinter
from superluigi.code.cache import CACHE_SCHEMA
from superluigi.code.table_builder import build_table
from tests.superluigi.code.corpus import pinned_project, write_tree


def test_the_fingerprints_of_a_project_stay_what_they_are(tmp_path: Path) -> None:
    root = write_tree(tmp_path, pinned_project())
    code = Fingerprinter().fingerprint_at(root / "flows" / "report.py", "Report")
    assert code is not None
    assert code.not_followed == ()
    assert {part.name: part.fingerprint for part in code.parts} == PARTS
    assert code.fingerprint == "TOTAL"


def test_what_a_table_holds_has_a_number(tmp_path: Path) -> None:
    tables = {name: build_table(text.encode()).to_json() for name, text in pinned_project().items()}
    digest = hashlib.sha256(json.dumps(tables).encode()).hexdigest()
    # Another digest means that caches written before cannot be read: raise CACHE_SCHEMA with it.
    assert (CACHE_SCHEMA, digest) == (1, "TABLES")


PARTS = {}
