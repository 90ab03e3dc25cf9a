from __future__ import annotations

from pathlib import Path

import pytest

from superluigi.errors import SettingsError
from superluigi.settings import Settings, load_settings


def test_settings_come_from_either_file_and_its_own_one_goes_first(tmp_path: Path) -> None:
    assert load_settings(None) == load_settings(tmp_path) == Settings()
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text('[project]\nname = "x"\n')
    assert load_settings(tmp_path) == Settings()
    pyproject.write_text('[tool.superluigi]\nverify = "content"\nrerun_on = "missing"\n')
    found = load_settings(tmp_path)
    assert (found.verify, found.rerun_on) == ("content", frozenset({"missing"}))
    assert found.source == f"{pyproject} [tool.superluigi]"
    (tmp_path / "superluigi.toml").write_text("verify_ttl_s = 5\n[params.A]\nn = 1\n")
    found = load_settings(tmp_path)
    assert (found.verify, found.verify_ttl_s, found.params) == ("stat", 5, {"A": {"n": 1}})
    assert found.source == str(tmp_path / "superluigi.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rerun = []", "unknown key 'rerun'. Known are adopt_read_max_bytes, "),
        ('[s3]\nkey = "x"', "unknown key 'key' in [s3]. Known are profile, "),
        ("[s3.buckets.lake]\nprofile = 3", "[s3.buckets.lake] profile = 3 is no text"),
        ('[s3]\nrequester_pays = "yes"', "requester_pays = 'yes' is no true or false"),
        ('[s3]\nbuckets = ["lake"]', "write [s3.buckets.NAME]"),
        ("s3 = 3", "s3 = 3 is no table"),
        ('rerun_on = ["moon"]', "unknown trigger 'moon' in rerun_on. Known are "),
        ('verify = "maybe"', "verify = 'maybe' is not one of stat, content, catalog"),
        ('durability = "hope"', "durability = 'hope' is not one of detect, fsync"),
        ('verify_ttl_s = "long"', "verify_ttl_s = 'long' is no number"),
        ("verify_ttl_s = true", "verify_ttl_s = True is no number"),
        ("plain_targets = 1", "plain_targets = 1 is no true or false"),
        ("adopt_read_max_bytes = 1.5", "adopt_read_max_bytes = 1.5 is no number"),
        ("params = 3", "params = 3 is no table"),
        ("rerun_on = 3", "rerun_on = 3 is no list of triggers"),
        ("[params]\nA = 3", "[params] A = 3: write [params.A]"),
        ("[code]\nroots = 3", "[code] roots = 3 is no list of texts"),
        ("[code]\nroot = []", "unknown key 'root' in [code]. Known are roots, includes"),
        ("verify = ", "is not valid TOML"),
        ("verify = \udcff", "is not valid TOML"),
    ],
    ids=lambda value: ascii(value) if isinstance(value, str) else None,
)
def test_what_cannot_be_used_is_named_with_its_file(
    text: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "superluigi.toml"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
