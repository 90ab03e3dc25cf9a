"""The documents: their blocks run, their links lead somewhere, and everything public is in them."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import pytest

from superluigi.cli import command
from superluigi.cli.errors import EXIT_CODES
from superluigi.cli.group import COMMANDS
from superluigi.settings import TRIGGERS, VERIFY_MODES, Settings
from superluigi_catalog.sidecar import RESERVED_KEYS
from tests.documents import ROOT, Block, Done, blocks_of, carry_out, same_shape

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "catalog" / "README.md"])
README = ROOT / "README.md"
REFERENCE = ROOT / "docs" / "reference.md"

PUBLIC = README.read_text(encoding="utf-8") + REFERENCE.read_text(encoding="utf-8")


def ids_of(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.fixture(scope="module")
def carried_out(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Carries out a document once: the directory that it worked in, and what came of each block."""
    known: dict[Path, tuple[Path, dict[str, Done]]] = {}

    def run(path: Path) -> tuple[Path, dict[str, Done]]:
        if path not in known:
            blocks = [block for block in blocks_of(path) if block.is_run and not needs_s3(block)]
            directory = tmp_path_factory.mktemp(path.stem)
            known[path] = directory, carry_out(blocks, directory)
        return known[path]

    return run


def needs_s3(block: Block) -> bool:
    """The README's program and its upstream: `test_readme` runs them, with a bucket."""
    return block.language == "python" and "bucket='superluigi'" in block.text


@pytest.mark.parametrize("path", DOCUMENTS, ids=ids_of(DOCUMENTS))
def test_every_block_runs_and_shows_what_it_prints(path: Path, carried_out: Any) -> None:
    _, done = carried_out(path)
    blocks = blocks_of(path)
    for before, block in pairwise(blocks):
        if block.language == "text" and before.where in done:
            assert same_shape(block.text) == same_shape(done[before.where].output), block.where


def test_the_sidecar_in_the_readme_is_the_one_that_it_makes(carried_out: Any) -> None:
    (block,) = [block for block in blocks_of(README) if block.language == "json"]
    shown = json.loads(block.text)
    directory, _ = carried_out(README)
    (path,) = directory.glob(f"data/reports/*/{shown['task_hash']}.txt.metadata.json")
    found = json.loads(path.read_text(encoding="utf-8"))
    assert list(shown) == list(found)
    for document in (shown, found):
        for key in ("run_id", "build_id", "started_at", "ended_at", "duration_s"):
            del document[key]
        del document["inputs"][0]["run_id"], document["output"]["mtime_ns"]
        document["environment"] = list(document["environment"])
    parts = shown["code"].pop("parts")
    assert parts
    assert all(part in found["code"]["parts"] for part in parts)
    del found["code"]["parts"]
    assert shown == found


@pytest.mark.parametrize("path", DOCUMENTS, ids=ids_of(DOCUMENTS))
def test_every_block_says_its_language(path: Path) -> None:
    known = {"python", "sh", "toml", "text", "json", "mermaid"}
    assert {block.language for block in blocks_of(path)} <= known


@pytest.mark.parametrize("path", DOCUMENTS, ids=ids_of(DOCUMENTS))
def test_every_make_target_that_is_named_exists(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)`", path.read_text(encoding="utf-8")))
    for block in blocks_of(path):
        if block.language == "sh":
            named |= {line.split()[1] for line in block.commands if line.startswith("make ")}
    assert named <= targets


@pytest.mark.parametrize("path", DOCUMENTS, ids=ids_of(DOCUMENTS))
def test_every_link_leads_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    anchors = {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    for link in re.findall(r"\]\(([^)]+)\)", text):
        if link.startswith("#"):
            assert link[1:] in anchors, link
        elif not link.startswith("https://"):
            assert (path.parent / link.partition("#")[0]).exists(), link


def public_names() -> Iterator[str]:
    modules = ("superluigi", "superluigi.tasks", "superluigi.targets", "superluigi.task_runner")
    for name in (*modules, "superluigi.errors", "superluigi_catalog.errors", "superluigi.planning"):
        yield from importlib.import_module(name).__all__
    from superluigi import Catalog, fingerprint_code, load_task, plan_task, run_task
    from superluigi.code import CodeFingerprint
    from superluigi.planning import Decision, Plan, Reason
    from superluigi.targets import (
        LocalFileTarget,
        LocalFolderTarget,
        S3ObjectTarget,
        S3PrefixTarget,
    )
    from superluigi.task_runner import BuildResult
    from superluigi_catalog.keeper import Keeper
    from superluigi_catalog.lineage import Lineage
    from superluigi_catalog.reader import Reader
    from superluigi_catalog.tracer import Tracer

    for cls in (
        Reader,
        Tracer,
        Keeper,
        Lineage,
        BuildResult,
        Decision,
        Plan,
        Reason,
        CodeFingerprint,
    ):
        yield from (name for name in (*vars(cls), *attributes_of(cls)) if name[:1] != "_")
    targets = (LocalFileTarget, LocalFolderTarget, S3ObjectTarget, S3PrefixTarget)
    for call in (run_task, plan_task, load_task, fingerprint_code, Catalog, *targets):
        yield from inspect.signature(call).parameters


def attributes_of(cls: Any) -> list[str]:
    return list(getattr(cls, "__dataclass_fields__", ()))


def event_names() -> set[str]:
    """As the code that writes them names them."""
    sources = [*ROOT.glob("superluigi/running/*.py"), *ROOT.glob("superluigi/task_runner/*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    return set(re.findall(r"\"((?:build|run|task)_[a-z]+)\"", text)) & set(
        re.findall(
            r"`([a-z_]+)`", importlib.import_module("superluigi.running.events").__doc__ or ""
        )
    )


def missing_from(text: str, names: Any) -> list[str]:
    return sorted({name for name in names if not re.search(rf"\b{re.escape(name)}\b", text)})


def test_every_public_name_is_documented() -> None:
    assert missing_from(PUBLIC, public_names()) == []


def test_every_parameter_is_luigis() -> None:
    import luigi.parameter

    from superluigi import parameters

    assert all(getattr(luigi.parameter, name) for name in parameters.__all__)


def test_every_setting_and_way_to_verify_is_documented() -> None:
    keys = {field.name for field in fields(Settings)} - {"source"}
    assert missing_from(REFERENCE.read_text(encoding="utf-8"), keys | {*VERIFY_MODES}) == []


def test_the_triggers_that_are_documented_are_those_that_there_are() -> None:
    (row,) = re.findall(
        r"^\| `rerun_on` \| .* \| triggers: (.*) \|$", REFERENCE.read_text(), re.MULTILINE
    )
    assert set(names(row)) == TRIGGERS
    table = section(README, "What runs again, and how to force it")
    assert set(re.findall(r"^\| `\"(\w+)\"` \|", table, re.MULTILINE)) == TRIGGERS


def test_every_default_is_documented_as_it_is() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", section(REFERENCE, "Settings"), re.MULTILINE)
    documented = {key: value.strip("`") for key, value in rows}
    for field in fields(Settings):
        if field.name != "source":
            default = getattr(Settings(), field.name)
            shown = sorted(default) if isinstance(default, frozenset) else default
            told = json.loads(documented[field.name])
            assert (sorted(told) if isinstance(told, list) else told) == shown, field.name


def test_every_command_and_option_is_documented() -> None:
    text = section(REFERENCE, "Commands")
    context = click.Context(command)
    assert set(re.findall(r"^\| `superluigi ([\w-]+)", text, re.MULTILINE)) == set(COMMANDS)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        (row,) = re.findall(rf"^\| `superluigi {name}\b.*$", text, re.MULTILINE)
        options = {
            option
            for parameter in found.params
            if isinstance(parameter, click.Option) and not parameter.hidden
            for option in parameter.opts
            if option.startswith("--") and option != "--help"
        }
        if name != "tui":
            assert set(re.findall(r"--[a-z-]+", row.split("|")[2])) == options, name


def test_every_exit_code_is_documented() -> None:
    rows = re.findall(r"^\| ([0-9]+) \| (.*) \|$", section(REFERENCE, "Commands"), re.MULTILINE)
    assert {int(code): meaning for code, meaning in rows} == {
        int(code): meaning for code, meaning in EXIT_CODES.items()
    }


def test_every_key_of_the_sidecar_is_documented() -> None:
    assert missing_from(section(REFERENCE, "The sidecar"), RESERVED_KEYS) == []


def test_every_event_is_documented() -> None:
    events = event_names()
    assert len(events) >= 9
    assert missing_from(section(REFERENCE, "The files of a build"), events) == []


def test_the_error_trees_are_those_of_the_modules() -> None:
    text = section(REFERENCE, "Errors")
    for name in ("superluigi.errors", "superluigi_catalog.errors"):
        tree = (importlib.import_module(name).__doc__ or "").partition("\n\n")[2].strip()
        assert tree in text


def test_every_reason_that_a_plan_gives_is_documented() -> None:
    sources = [*ROOT.glob("superluigi/planning/*.py"), *ROOT.glob("superluigi/running/*.py")]
    sources += ROOT.glob("superluigi/task_runner/*.py")
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    kinds = set(re.findall(r"\bReason\(\s*\"(\w+)\"", text))
    assert len(kinds) > 10
    assert missing_from(section(REFERENCE, "run_task and plan_task", level=3), kinds) == []


def section(path: Path, title: str, *, level: int = 2) -> str:
    """The text below a heading, up to the next one of its level."""
    marks = "#" * level
    text = path.read_text(encoding="utf-8")
    return re.split(
        rf"^#{{2,{level}}} ", text.partition(f"\n{marks} {title}\n")[2], flags=re.MULTILINE
    )[0]


def test_the_architecture_names_the_layers_in_the_order_that_is_checked() -> None:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if "superluigi.cli" in c.get("layers", ()))
    checked = [name.strip() for layer in layers for name in layer.split("|")]
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+?) \|", text, re.MULTILINE)
    told = {f"superluigi.{name}" for row in rows for name in names(row)}
    assert told == {*checked} - {"superluigi.__main__"}
    place = {name: number for number, layer in enumerate(layers) for name in layer.split(" | ")}
    lowest = [max(place[f"superluigi.{name}"] for name in names(row)) for row in rows]
    assert lowest == sorted(lowest)


def names(row: str) -> list[str]:
    return re.findall(r"`(\w+)`", row)
