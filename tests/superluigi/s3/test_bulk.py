"""Many objects are looked at with few requests, and each answer is right."""

from __future__ import annotations

import random
from typing import Any

import pytest

from superluigi.errors import BucketMissing
from superluigi.s3 import ObjectStore
from superluigi.s3.bulk import find_by_listing, just_before
from tests.s3_server import BUCKET, Answer, FaultProxy, fill_bucket


@pytest.fixture
def store(s3_faults: FaultProxy) -> ObjectStore:
    return ObjectStore()


def exists(known: dict[str, Any]) -> dict[str, bool]:
    return {key: stat is not None for key, stat in known.items()}


def test_a_thousand_objects_take_two_requests(store: ObjectStore, s3_faults: FaultProxy) -> None:
    keys = [f"out/{i:04}.csv" for i in range(1_000)]
    fill_bucket([key for key in keys if not key.endswith("7.csv")])

    known = find_by_listing(store, BUCKET, keys)

    assert exists(known) == {key: not key.endswith("7.csv") for key in keys}
    assert len(s3_faults.requests) <= 2


def test_what_lies_between_two_keys_costs_no_page_of_its_own(
    store: ObjectStore, s3_faults: FaultProxy
) -> None:
    fill_bucket([f"m/{i:05}" for i in range(5_000)])
    wanted = [f"a/{i}" for i in range(20)] + [f"z/{i}" for i in range(20)]
    fill_bucket(wanted[::2])

    known = find_by_listing(store, BUCKET, wanted)

    assert exists(known) == {key: i % 2 == 0 for i, key in enumerate(wanted)}
    assert len(s3_faults.requests) == 2


def test_keys_that_are_thinly_spread_are_left_to_be_looked_at_one_by_one(
    store: ObjectStore, s3_faults: FaultProxy
) -> None:
    fill_bucket([f"m/{i:05}" for i in range(20_000)])
    wanted = [f"m/{i:05}" for i in range(0, 20_000, 2_000)] + ["m/x"]

    known = find_by_listing(store, BUCKET, wanted)

    assert len(s3_faults.requests) == 3
    assert 0 < len(known) < len(wanted)
    assert all(exists(known).values())


def test_neighbours_are_taken_along_only_where_a_page_shows_them(store: ObjectStore) -> None:
    keys = [f"a/{i}" for i in range(9)]
    sidecars = [f"{key}.json" for key in keys]
    fill_bucket([*keys, *sidecars[:5]])

    known = find_by_listing(store, BUCKET, keys, also=[*sidecars, "b/elsewhere", "Z"])

    assert exists(known) == {
        **dict.fromkeys(keys + sidecars[:5], True),
        **dict.fromkeys(sidecars[5:], False),
    }


@pytest.mark.parametrize("seed", range(5))
def test_the_answer_is_that_of_looking_at_each(
    store: ObjectStore, s3: Any, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("superluigi.s3.bulk._PAGE_ROWS", 7)
    chance = random.Random(seed)
    letters = "/.-~aé\ue000\U0001f98e\U0010ffff"
    names = {"".join(chance.choices(letters, k=chance.randint(1, 4))) for _ in range(150)}
    keys = sorted(name for name in names if not set(name) <= set("./"))  # moto's routes
    there = set(chance.sample(keys, len(keys) // 2))
    fill_bucket(there)

    wanted = chance.sample(keys, len(keys) // 2)
    known = find_by_listing(store, BUCKET, wanted, also=keys)

    assert known
    assert exists(known) == {key: key in there for key in known}


@pytest.mark.parametrize("key", ["a", "a/b", "b\0", "é", "\ue000", "z" * 1024, "é" * 512])
def testjust_before_a_key_is_below_it(key: str) -> None:
    assert just_before(key) < key
    assert len(just_before(key).encode()) <= 1024


def test_where_listing_is_not_allowed_nothing_is_known(
    store: ObjectStore, s3_faults: FaultProxy
) -> None:
    def refuse(answer: Answer) -> None:
        answer.refuse(403, "AccessDenied")

    s3_faults.always(refuse, when=lambda answer: "list-type" in answer.path)

    assert find_by_listing(store, BUCKET, ["a", "b"]) == {}
    s3_faults.reset()
    with pytest.raises(BucketMissing):
        find_by_listing(store, "no-bucket", ["a", "b"])
