"""The tools: how each builds its project, and where its project is edited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version

__all__ = ["COLUMNS", "OPTIONS", "Edit", "Tool"]

Edit = tuple[str, str, str]
"""File, old text that occurs once in it, new text."""


@dataclass(frozen=True)
class Tool:
    """One tool, with its project in `projects/<folder>`."""

    name: str
    distribution: str
    build: str
    """Its command; `{day}` and `{n}` stand for the parameters."""

    force_raw: str
    """The command that runs Raw alone, done or not."""

    new_parameter: tuple[Edit, ...]
    """Raw gets a parameter with a default."""

    other_upstream: tuple[Edit, ...]
    """Clean reads OtherRaw instead of Raw."""

    option: str = ""
    """What differs from its defaults."""

    start: tuple[Edit, ...] = ()
    """Edits before the first build, for the option."""

    files: dict[str, str] = field(default_factory=dict)
    """Further files of the project."""

    prepare: tuple[str, ...] = ()
    """Commands before the first build."""

    parameters_file: str | None = None
    """Where the parameters are, when the command does not name them."""

    base_class: str | None = None
    """The file with a base class of Clean, where tasks are classes."""

    clean: str = "pipeline.py"
    """The file with Clean's own code."""

    modules: str = "."
    """The folder of the modules that Clean imports."""

    source: str = "source.txt"
    results: str = "data/{step}-*.txt"
    """Where a step's results are: a glob pattern; `{step}` in lower case, `{Step}` as a class."""

    @property
    def folder(self) -> str:
        """Where its project is."""
        return self.distribution

    @property
    def version(self) -> str | None:
        """Of what is installed, if it is."""
        try:
            return version(self.distribution)
        except PackageNotFoundError:
            return None


def _of_classes(base: str, parameter: str) -> tuple[tuple[Edit, ...], tuple[Edit, ...]]:
    head = f"class Raw({base}):\n    day = {parameter}()\n"
    flavour = f'    flavour = {parameter}(default="plain")\n'
    return (
        (("pipeline.py", head, head + flavour),),
        (("pipeline.py", "return Raw(day=self.day)", "return OtherRaw(day=self.day)"),),
    )


def _own(option: str, arguments: str) -> Tool:
    new_parameter, other_upstream = _of_classes("AtomicTaskWithMetadata", "Parameter")
    return Tool(
        name="Super Luigi",
        option=option,
        distribution="superluigi",
        build=f"superluigi run {arguments} pipeline.Report --day {{day}} --n {{n}}",
        force_raw=f"superluigi run {arguments} --force pipeline.Raw --day {{day}}",
        new_parameter=new_parameter,
        other_upstream=other_upstream,
        files={"superluigi.toml": ""},
        base_class="bases.py",
    )


def _luigi() -> Tool:
    new_parameter, other_upstream = _of_classes("luigi.Task", "luigi.Parameter")
    start = "luigi --local-scheduler --module pipeline"
    return Tool(
        name="Luigi",
        distribution="luigi",
        build=f"{start} Report --day {{day}} --n {{n}}",
        force_raw=f"rm data/raw-{{day}}.txt && {start} Raw --day {{day}}",
        new_parameter=new_parameter,
        other_upstream=other_upstream,
        base_class="bases.py",
    )


def _gokart() -> Tool:
    new_parameter, other_upstream = _of_classes("gokart.TaskOnKart", "luigi.Parameter")
    start = "python main.py --local-scheduler"
    return Tool(
        name="gokart",
        distribution="gokart",
        build=f"{start} Report --day {{day}} --n {{n}}",
        force_raw=f"{start} Raw --day {{day}} --rerun",
        new_parameter=new_parameter,
        other_upstream=other_upstream,
        base_class="bases.py",
        source="resources/source.txt",
        results="resources/pipeline/{Step}_*.pkl",
    )


DVC = Tool(
    name="DVC",
    distribution="dvc",
    prepare=("git init -q", "dvc init -q"),
    build="dvc repro report",
    force_raw="dvc repro --force --single-item raw",
    parameters_file="params.yaml",
    new_parameter=(
        ("params.yaml", "n: 3", "n: 3\nflavour: plain"),
        (
            "dvc.yaml",
            "- source.txt\n    params:\n      - day\n",
            "- source.txt\n    params:\n      - day\n      - flavour\n",
        ),
    ),
    other_upstream=(
        ("dvc.yaml", "clean.py data/raw.txt", "clean.py data/other.txt"),
        (
            "dvc.yaml",
            "- data/raw.txt\n    params:\n      - n\n",
            "- data/other.txt\n    params:\n      - n\n",
        ),
    ),
    clean="clean.py",
    results="data/{step}.txt",
)

SNAKEMAKE = Tool(
    name="Snakemake",
    distribution="snakemake",
    build="snakemake --cores 1",
    force_raw="snakemake --cores 1 --force data/raw-{day}.txt",
    parameters_file="config.yaml",
    new_parameter=(
        (
            "Snakefile",
            '    script:\n        "scripts/raw.py"',
            '    params:\n        flavour="plain",\n    script:\n        "scripts/raw.py"',
        ),
    ),
    other_upstream=(
        (
            "Snakefile",
            '"data/raw-{day}.txt",\n    output:\n        "data/clean',
            '"data/other-{day}.txt",\n    output:\n        "data/clean',
        ),
    ),
    clean="scripts/clean.py",
    modules="scripts",
)

REDUN = Tool(
    name="redun",
    distribution="redun",
    build="redun run pipeline.py main --day {day} --n {n}",
    force_raw="redun run --no-cache pipeline.py raw --source source.txt --day {day}",
    new_parameter=(
        (
            "pipeline.py",
            "def raw(source: File, day: str) ->",
            'def raw(source: File, day: str, flavour: str = "plain") ->',
        ),
    ),
    other_upstream=(("pipeline.py", 'raw(File("source.txt"), day)\n', "other_raw(day)\n"),),
)

WITH_CODE = "missing,inputs,code"

COLUMNS = (
    _own("with `code` in `rerun_on`", f"--rerun-on {WITH_CODE}"),
    _own("", ""),
    _luigi(),
    _gokart(),
    DVC,
    SNAKEMAKE,
    REDUN,
)
"""The table: ourselves twice, the second one in brackets; the others by default."""


_RETURNS_TEXT = (
    ("pipeline.py", "raw_file: File, day: str, n: int) -> File", "raw_file: File, n: int) -> str"),
    (
        "pipeline.py",
        'file = File(f"data/clean-{day}.txt")\n    file.write(f"{cleaned} {n}")\n    return file',
        'return f"{cleaned} {n}"',
    ),
    ("pipeline.py", "def report(clean_file: File", "def report(clean_text: str"),
    ("pipeline.py", "{clean_file.read()}", "{clean_text}"),
    ("pipeline.py", "clean(raw_file, day, n)", "clean(raw_file, n)"),
)
"""What a step returns is in redun's own database; a file is known by path, size and time."""


def _options() -> Iterator[Tool]:
    for trigger in ("missing_anywhere", "output"):
        yield _own(f"with `{trigger}` too", f"--rerun-on {WITH_CODE},{trigger}")
    for name in ("serialized_task_definition_check", "modification_time_check"):
        cfg = f"[TaskOnKart]\n{name} = true\n"
        yield replace(_gokart(), option=f"`{name}`", files={"luigi.cfg": cfg})
    modules = ("dvc.yaml", "- clean.py\n", "- clean.py\n      - cleaning.py\n      - words.py\n")
    yield replace(DVC, option="the imported modules among Clean's `deps`", start=(modules,))
    yield replace(
        SNAKEMAKE,
        option="`--rerun-triggers mtime`",
        build=f"{SNAKEMAKE.build} --rerun-triggers mtime",
    )
    yield replace(REDUN, option="Clean returns its text, not a file", start=_RETURNS_TEXT)
    includes = "@task(hash_includes=[first_words])\ndef clean("
    yield replace(
        REDUN,
        option="`hash_includes=[first_words]` on Clean",
        start=(("pipeline.py", "@task()\ndef clean(", includes),),
    )


OPTIONS = tuple(_options())
"""What changes an answer; for the footnotes."""
