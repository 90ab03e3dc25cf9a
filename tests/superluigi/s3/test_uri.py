"""`s3://` URIs: every key survives, and what cannot be a name is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from superluigi.s3.uri import check_key, format_uri, is_s3_uri, parse_uri

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200).filter(
    lambda key: len(key.encode()) <= 1024
)


@given(KEYS)
def test_any_key_survives_the_way_into_a_uri_and_back(key: str) -> None:
    assert parse_uri(format_uri("lake", key)) == ("lake", key)


@pytest.mark.parametrize(
    ("uri", "bucket", "key"),
    [
        ("s3://lake", "lake", ""),
        ("s3://lake/", "lake", ""),
        ("s3://lake//a", "lake", "/a"),
        ("s3://lake/a//b/", "lake", "a//b/"),
        ("s3://lake/../../etc/passwd", "lake", "../../etc/passwd"),
        ("s3://lake/a?b#c%20d", "lake", "a?b#c%20d"),
        ("S3://lake/new\nline", "lake", "new\nline"),
        (
            "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/raw/a/b",
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/raw",
            "a/b",
        ),
    ],
)
def test_a_uri_is_split_without_being_interpreted(uri: str, bucket: str, key: str) -> None:
    assert parse_uri(uri) == (bucket, key)


@pytest.mark.parametrize(
    "uri", ["/lake/key", "s3:/lake/key", "s3://", "s3://a/key", "s3://la ke/key", "s3://-lake/key"]
)
def test_what_is_no_s3_uri_is_refused_by_name(uri: str) -> None:
    with pytest.raises(ValueError, match=r"s3://bucket/key|cannot be a bucket"):
        parse_uri(uri)


def test_a_key_has_at_most_1024_bytes() -> None:
    assert check_key("é" * 512) == "é" * 512
    with pytest.raises(ValueError, match="1 to 1024 bytes"):
        check_key("é" * 512 + "x")
    with pytest.raises(ValueError, match="1 to 1024 bytes"):
        check_key("")


def test_a_key_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(ValueError, match="no valid Unicode"):
        parse_uri("s3://lake/\udcff")


def test_a_local_path_is_no_s3_uri() -> None:
    assert not is_s3_uri("data/s3://x")
    assert is_s3_uri("s3://x")
