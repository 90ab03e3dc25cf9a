"""`superluigi doctor`."""

from __future__ import annotations

from collections.abc import Iterator

import click

from superluigi.cli.checks import Check, local_checks, module_check, safely
from superluigi.cli.errors import ExitCode
from superluigi.cli.output import emit_json, emit_table, narrating

__all__ = ["command"]

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@click.command("doctor")
@click.option(
    "--bucket", metavar="NAME", help="Try the rights on this bucket, with a probe object."
)
@click.option(
    "--module", "modules", metavar="MODULE", multiple=True, help="Try to import this module."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(bucket: str | None, modules: tuple[str, ...], as_json: bool) -> int:
    """Look for what is wrong here, and say what to do.

    The exit code is 1 when something fails.
    """
    with narrating():
        checks = list(_checks(bucket, modules))
    is_well = all(check.status != "fail" for check in checks)
    if as_json:
        emit_json({"ok": is_well, "checks": [check.to_dict() for check in checks]})
    else:
        _print(checks)
    return ExitCode.OK if is_well else ExitCode.FAILED


def _checks(bucket: str | None, modules: tuple[str, ...]) -> Iterator[Check]:
    from superluigi.cli.s3_checks import bucket_checks, credentials_check

    yield from local_checks()
    yield safely("s3 credentials", lambda: credentials_check(asks_the_network=bucket is not None))
    if bucket is not None:
        yield from bucket_checks(bucket)
    for name in modules:
        yield module_check(name)


def _print(checks: list[Check]) -> None:
    rows: list[tuple[str, str, str]] = []
    for check in checks:
        rows.append((check.status, check.name, check.text))
        if check.advice:
            rows.append(("", "", f"→ {check.advice}"))
    emit_table(rows, titles=("", "what", "found"), styles=_STYLES)
