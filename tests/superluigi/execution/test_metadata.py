from __future__ import annotations

import copy
import json
import math
import pickle
import uuid
from collections import OrderedDict, namedtuple
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from superluigi.errors import MetadataError
from superluigi.execution.metadata import Metadata, to_json
from superluigi.sidecar import RESERVED_KEYS
from tests.ids import stable_id

KNOWN = {"task_hash": "a" * 32, "family": "Task", "params": {"n": "1"}, "inputs": []}
Pair = namedtuple("Pair", "left right")


class Colour(str, Enum):
    RED = "red"


@pytest.fixture
def metadata() -> Metadata:
    return Metadata(KNOWN)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (None, None),
        (True, True),
        (1, 1),
        (2**80, 2**80),
        (0.1, 0.1),
        ("Größe ☃", "Größe ☃"),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        ([1, (2, "x")], [1, [2, "x"]]),
        (Pair(1, {"k": None}), [1, {"k": None}]),
        (OrderedDict(b=1, a=[math.nan]), {"b": 1, "a": ["NaN"]}),
        (date(2026, 1, 5), "2026-01-05"),
        (datetime(2026, 1, 5, 8, 12, tzinfo=timezone.utc), "2026-01-05T08:12:00+00:00"),
        (time(8, 12), "08:12:00"),
        (timedelta(days=1, seconds=2), "1 day, 0:00:02"),
        (Decimal("1.10"), "1.10"),
        (Path("data/x"), "data/x"),
        (PureWindowsPath("c:/x"), "c:\\x"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Colour.RED, "red"),
        (np.float32(0.5), 0.5),
        (np.float64("nan"), "NaN"),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (np.array(3), 3),
        (np.datetime64("2026-01-05T08:12:31.123456789"), "2026-01-05T08:12:31.123456789"),
        (np.timedelta64(90, "s"), "90 seconds"),
        (pd.Timestamp("2026-01-05 08:12"), "2026-01-05T08:12:00"),
        (pd.Timedelta("1h"), "0 days 01:00:00"),
        (pd.NaT, "NaT"),
        (pd.NA, None),
        (pd.Series([1.5, 2.5]).mean(), 2.0),
        (pd.Series([1, None], dtype="Int64").max(), 1),
    ],
    ids=stable_id,
)
def test_a_value_is_stored_in_its_one_form(metadata: Metadata, value: Any, stored: Any) -> None:
    metadata["key"] = value
    (added,) = metadata.added().values()
    assert added == stored
    assert type(json.loads(json.dumps(added, allow_nan=False))) is type(stored)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (object(), r"metadata\['key'\] is a builtins.object, which JSON cannot hold"),
        ({1, 2}, "builtins.set"),
        (b"bytes", "builtins.bytes"),
        (1j, "builtins.complex"),
        (np.array([1, 2]), "numpy.ndarray"),
        (pd.Series([1]), "Series"),
        (pd.DataFrame(), "DataFrame"),
        (lambda: 1, "builtins.function"),
        ({"deep": [1, {2}]}, r"metadata\['key.deep.1'\] is a builtins.set"),
        ({"deep": {1: "x"}}, r"metadata\['key.deep'\] has the key 1, a int; JSON keys are texts"),
        ("lone \ud800", "UTF-8 cannot encode"),
        (["nul \0"], "NUL character"),
        (10**400, "an integer of 1329 bits"),
    ],
    ids=stable_id,
)
def test_what_json_cannot_hold_is_refused_at_the_assignment(
    metadata: Metadata, value: Any, message: str
) -> None:
    with pytest.raises(MetadataError, match=message):
        metadata["key"] = value
    assert "key" not in metadata
    for attempt in (metadata.update, lambda row: metadata.__ior__(row)):
        with pytest.raises(MetadataError, match=message):
            attempt({"fine": 1, "key": value})
    with pytest.raises(MetadataError, match=message):
        metadata.setdefault("key", value)
    assert metadata == KNOWN


def test_an_endless_value_is_refused(metadata: Metadata) -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(MetadataError, match="nested more than 24 deep"):
        metadata["key"] = endless


@pytest.mark.parametrize("key", sorted(RESERVED_KEYS))
def test_our_own_keys_are_refused(metadata: Metadata, key: str) -> None:
    for attempt in (
        lambda: metadata.__setitem__(key, "mine"),
        lambda: metadata.update({key: "mine"}),
        lambda: metadata.update(**{key: "mine"}),
        lambda: metadata.__delitem__(key),
        lambda: metadata.pop(key),
    ):
        with pytest.raises(MetadataError, match=f"'{key}'.* is Super Luigi's own key"):
            attempt()
    assert metadata == KNOWN


@pytest.mark.parametrize("key", [1, None, ("a",), "lone \ud800", "nul \0"])
def test_keys_are_clean_texts(metadata: Metadata, key: Any) -> None:
    with pytest.raises(MetadataError):
        metadata[key] = 1


def test_what_is_known_at_the_start_can_be_read_and_does_not_count_as_added(
    metadata: Metadata,
) -> None:
    assert metadata["params"]["n"] == "1"
    metadata["row_count"] = 5
    assert metadata.added() == {"row_count": 5}
    assert dict(metadata) == {**KNOWN, "row_count": 5}


def test_a_dicts_methods_touch_the_tasks_own_keys_only(metadata: Metadata) -> None:
    metadata.update([("a", 1)], b=2)
    metadata |= {"c": 3}
    assert metadata.setdefault("a", 9) == 1
    assert metadata.setdefault("family", 9) == "Task"
    assert metadata.popitem() == ("c", 3)
    assert metadata.pop("b") == 2
    assert metadata.pop("none", 7) == 7
    del metadata["a"]
    metadata["d"] = 4
    metadata.clear()
    assert metadata == KNOWN
    with pytest.raises(KeyError):
        metadata.popitem()


def test_a_change_after_the_assignment_is_seen_and_checked(metadata: Metadata) -> None:
    rows: list[Any] = [1]
    metadata["rows"] = rows
    rows.append(np.float64(2))
    assert metadata.added() == {"rows": [1, 2.0]}
    rows.append(object())
    with pytest.raises(MetadataError, match=r"metadata\['rows.2'\] is a builtins.object"):
        metadata.added()


def test_a_copy_is_a_plain_dict(metadata: Metadata) -> None:
    metadata["rows"] = [1]
    for again in (
        copy.deepcopy(metadata),
        copy.copy(metadata),
        pickle.loads(pickle.dumps(metadata)),
    ):
        assert type(again) is dict
        assert again == metadata


@given(st.recursive(st.floats() | st.text(), lambda inner: st.lists(inner)))
def test_what_was_stored_is_stored_again_as_it_is(value: Any) -> None:
    try:
        stored = to_json(value, "key")
    except MetadataError:
        return
    assert to_json(stored, "key") == stored
