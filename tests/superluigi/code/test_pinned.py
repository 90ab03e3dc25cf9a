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
    assert code.fingerprint == "code1:3cfdf203f9bf09b6b0b9d32d97f3005b"


def test_what_a_table_holds_has_a_number(tmp_path: Path) -> None:
    tables = {name: build_table(text.encode()).to_json() for name, text in pinned_project().items()}
    digest = hashlib.sha256(json.dumps(tables).encode()).hexdigest()
    # Another digest means that caches written before cannot be read: raise CACHE_SCHEMA with it.
    assert (CACHE_SCHEMA, digest) == (
        1,
        "ea6ba48e62f453641ddd4965e1ea820d1653965eee038d747b94bc31cb37756a",
    )


PARTS = {
    "flows.base.Base": "code1:5822e266a2d9539fca4f96665147796b",
    "flows.base.Base.day": "code1:508555cad4319587961af1d82c883471",
    "flows.base.Base.output": "code1:1e46ede9963fea8031d8425b19d37d1a",
    "flows.base.Base.requires": "code1:fcb45973982a9fd65c6ac314e59e4c4d",
    "flows.base.Timed": "code1:aea001eee548f5296818bd4c19fb98fb",
    "flows.base.Timed.started": "code1:d0766bbd9a48ce7c95bbd9e8b0a0afe3",
    "flows.base.Timed.timed": "code1:95cc4afae3c93ef6c26d46cea2af59e7",
    "flows.cleaners.EMPTY": "code1:ea9f90c0cebe8ab9078745dda38f7740",
    "flows.cleaners.clean_text": "code1:c2d3ded6032b6f058c3f144befe62f8e",
    "flows.raw.Raw.parse": "code1:9f6aa1116c347bcaab33ef0fcf63a9a5",
    "flows.registry.CLEANERS": "code1:7e84047af9b475678db4bbd8394095c2",
    "flows.registry.clean": "code1:d5ffe329a13431d314f5b49aebc3ea5b",
    "flows.registry.cleaner": "code1:29447f9bb1503639d7363e78c2ed0998",
    "flows.report.HEADER": "code1:32ddb6677d3e8096c64d06f6ea0c9e2d",
    "flows.report.Report": "code1:74e163ac95dbb98af2ac4cc122fb27f6",
    "flows.report.Report.limit": "code1:a65b52d9754d1d3e3d5ecef6e37dc450",
    "flows.report.Report.run": "code1:75b29ea4c557293a47ee71074075da51",
    "flows.report.Report.threshold": "code1:efe4383e5a71f8b9ed96e69181af5e9a",
    "flows.report.Report.upstream": "code1:94d783759486803cbbdd688517efbfbb",
    "flows.report.Report.write": "code1:94315cb4b33d5e2366cc775361ab60ec",
    "flows.settings.LIMITS": "code1:8e693e4cba3786042ec428518452a915",
    "flows.settings.REGIONS": "code1:0e04b0f7565883bad8331dbba7331a16",
    "flows.settings.Settings": "code1:b00a93e1e3c8ae9b6f26ed549f481226",
    "flows.settings.Settings.<body>": "code1:eebd89b5673b1b4191e6885085e16218",
    "flows.settings.Settings.scaled": "code1:5f6006b5f51a869a7190a05f07d67496",
}
