"""Every row of the table of edits: what an edit is to change, and what not."""

from collections import Counter
from pathlib import Path

import pytest

from superluigi.code import CodeFingerprint, Fingerprinter
from superluigi.code.vocabulary import NOT_FOLLOWED_KINDS
from tests.superluigi.code.corpus import Case, load_cases

CASES = load_cases()


def _fingerprint(corpus: Path, case: Case, mark: str) -> CodeFingerprint:
    root = corpus / f"{CASES.index(case)}{mark}"
    code = Fingerprinter().fingerprint_at(root / case.file, case.qualname)
    assert code is not None
    return code


def _changed(before: CodeFingerprint, after: CodeFingerprint) -> set[str]:
    old = Counter((part.name, part.fingerprint) for part in before.parts)
    new = Counter((part.name, part.fingerprint) for part in after.parts)
    return {name for name, _ in ((old - new) + (new - old))}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_edit_changes_what_it_is_to_change(case: Case, corpus: Path) -> None:
    before = _fingerprint(corpus, case, "-")
    after = _fingerprint(corpus, case, "+")
    differs = before.fingerprint != after.fingerprint
    assert differs == case.expected.startswith("differs"), _changed(before, after)
    if differs:
        short = {name.removeprefix("src.") for name in _changed(before, after)}
        assert short == case.parts
    if case.kind:
        assert case.kind in {entry.kind for entry in after.not_followed}


def test_the_names_of_the_cases_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_kind_of_what_is_not_followed_has_a_meaning(corpus: Path) -> None:
    codes = [_fingerprint(corpus, case, mark) for case in CASES for mark in "-+"]
    kinds = {entry.kind for code in codes for entry in code.not_followed}
    elsewhere = {
        "class_made_at_run_time",
        "failed",
        "library",
        "lost_source",
        "other_file",
        "value",
    }
    assert kinds | elsewhere == set(NOT_FOLLOWED_KINDS)
