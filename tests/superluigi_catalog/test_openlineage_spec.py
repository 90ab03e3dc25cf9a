"""OpenLineage events against the official JSON schemas.

They are not part of this repository: `OPENLINEAGE_SPEC` names the folder `spec` of a checkout of OpenLineage, and
`make openlineage-spec` makes one.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openlineage.client import OpenLineageClient
from openlineage.client.transport.file import FileConfig, FileTransport
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from superluigi_catalog import Catalog
from tests.superluigi_catalog.entries import a_run, a_task, an_output, record_chain

SPEC = os.environ.get("OPENLINEAGE_SPEC", "")


@pytest.fixture
def schemas() -> dict[str, Any]:
    """The schemas by the address that they say they have."""
    if not SPEC:
        pytest.skip("OPENLINEAGE_SPEC does not name the official schemas")
    documents = [json.loads(path.read_bytes()) for path in Path(SPEC).rglob("*.json")]
    return {each["$id"]: each for each in documents if isinstance(each, dict) and "$id" in each}


@pytest.fixture
def events(catalog: Catalog, tmp_path: Path) -> list[dict[str, Any]]:
    """Of runs that succeeded, failed and were interrupted, with every facet that there is."""
    record_chain(catalog, "a", "b")
    output = replace(an_output("c"), uri="s3://lake/models/c", file_count=3)
    build = str(uuid.UUID(int=5))
    catalog.record_tasks([a_task("c", ["b"], family="Train", params={"day": "x"})])
    catalog.finish_run(a_run("c", ["b"], outputs=[output], build_id=build))
    for number, status in ((2, "failed"), (3, "interrupted")):
        catalog.finish_run(
            a_run("c", ["b"], number=number, status=status, error="no", traceback="Traceback: no")
        )
    told = tmp_path / "events.jsonl"
    transport = FileTransport(FileConfig(log_file_path=str(told), append=True))
    catalog.export_openlineage(OpenLineageClient(transport=transport))
    found = [json.loads(line) for line in told.read_text().splitlines()]
    assert {each["eventType"] for each in found} == {"START", "COMPLETE", "FAIL", "ABORT"}
    return found


def facets_of(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All facets of an event, wherever they are."""
    for holder in (event["run"], event["job"], *event["inputs"], *event["outputs"]):
        for key in ("facets", "inputFacets", "outputFacets"):
            yield from holder.get(key, {}).values()


def test_events_are_as_the_official_schemas_say(
    schemas: dict[str, Any], events: list[dict[str, Any]]
) -> None:
    registry: Registry[Any] = Registry().with_resources(
        (address, Resource.from_contents(schema, default_specification=DRAFT202012))
        for address, schema in schemas.items()
    )

    def check(thing: Any, address: str) -> None:
        schema = {"$ref": address}
        checker = Draft202012Validator(schema, registry=registry, format_checker=FormatChecker())
        checker.validate(thing)

    names = {address.rpartition("/")[2]: address for address in schemas}
    checked = set()
    for event in events:
        check(event, names["OpenLineage.json"])
        for facet in facets_of(event):
            name = facet["_schemaURL"].partition("#")[0].rpartition("/")[2]
            check(facet, f"{names[name]}#{facet['_schemaURL'].partition('#')[2]}")
            checked.add(name)
    assert {"ParentRunFacet.json", "OutputStatisticsOutputDatasetFacet.json"} < checked
