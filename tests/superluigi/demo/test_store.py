"""The demo's S3: what is in it is in a folder too, and is there again in the next process."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from superluigi.demo.store import FolderStore, serve_folder, stores
from superluigi.s3.client import ClientSpec, client_for


@pytest.fixture
def folder(s3_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    assert s3_endpoint  # moto's objects are those of the whole process: begin without any
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://elsewhere.invalid")
    return tmp_path / "s3"


def opened(folder: Path) -> tuple[FolderStore, Any]:
    return serve_folder(folder, bucket="own"), client_for(ClientSpec())


def test_objects_are_there_again_with_their_metadata(folder: Path) -> None:
    store, client = opened(folder)
    client.put_object(Bucket="own", Key="x/1.csv", Body=b"one", Metadata={"run": "r1"})
    first = client.head_object(Bucket="own", Key="x/1.csv")
    store.close()
    assert (folder / "own" / "x" / "1.csv").read_bytes() == b"one"

    store, client = opened(folder)
    second = client.head_object(Bucket="own", Key="x/1.csv")
    assert (second["ETag"], second["Metadata"]) == (first["ETag"], {"run": "r1"})
    client.delete_object(Bucket="own", Key="x/1.csv")
    store.close()
    assert not (folder / "own" / "x" / "1.csv").exists()


def test_the_same_bytes_of_another_run_are_saved_too(folder: Path) -> None:
    store, client = opened(folder)
    client.put_object(Bucket="own", Key="k", Body=b"one", Metadata={"run": "r1"})
    store.save()
    client.put_object(Bucket="own", Key="k", Body=b"one", Metadata={"run": "r2"})
    store.close()
    store, client = opened(folder)
    assert client.head_object(Bucket="own", Key="k")["Metadata"] == {"run": "r2"}
    store.close()


def test_what_another_process_saved_meanwhile_is_kept(folder: Path) -> None:
    store, client = opened(folder)
    (folder / "own").mkdir()
    (folder / "own" / "theirs").write_bytes(b"1")
    row = {"Metadata": {"run": "r1"}, "ContentType": "text/csv"}
    (folder / "objects.json").write_text(json.dumps({"own/theirs": row}))
    client.put_object(Bucket="own", Key="mine", Body=b"2")
    store.close()
    assert (folder / "own" / "theirs").exists()
    assert set(json.loads((folder / "objects.json").read_text())) == {"own/theirs", "own/mine"}


def test_the_environment_names_it_and_is_given_back(folder: Path) -> None:
    store = serve_folder(folder, bucket="own")
    assert os.environ["AWS_ENDPOINT_URL_S3"] == store.url
    assert "AWS_PROFILE" not in os.environ
    assert stores(folder.parent) == [store]
    assert serve_folder(folder, bucket="other") is store
    store.close()
    store.close()
    assert stores(folder.parent) == []
    assert os.environ["AWS_PROFILE"] == "mine"
    assert os.environ["AWS_ENDPOINT_URL"] == "http://elsewhere.invalid"


def test_a_key_that_would_leave_the_folder_is_refused(folder: Path) -> None:
    store, client = opened(folder)
    client.put_object(Bucket="own", Key="../../evil", Body=b"x")
    with pytest.raises(ValueError, match="outside"):
        store.save()
    client.delete_object(Bucket="own", Key="../../evil")
    store.close()
    assert not (folder.parent / "evil").exists()
