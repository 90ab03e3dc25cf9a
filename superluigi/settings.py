"""Settings of a project: `superluigi.toml`, or `[tool.superluigi]` in `pyproject.toml`.

```toml
rerun_on = ["missing", "inputs"]     # triggers; see `run_task`
verify = "stat"                      # "stat", "content" or "catalog"
verify_ttl_s = 600                   # how long verify = "catalog" trusts a look
durability = "detect"                # "fsync": target and sidecar are on the disk before a run counts
plain_targets = true                 # sidecars beside the targets of plain Luigi tasks too
adopt_read_max_bytes = 67108864      # larger files that stand without a record are not read when adopted

cache_max_bytes = 53687091200        # local copies of S3 objects take no more; 0: any amount
cache_min_free_bytes = 1073741824    # and leave as much free on the disk
offline = false                      # true: no request to S3; what has no local copy is an error

[s3]                                 # the account for what the catalog is asked to look at on S3
profile = "lake"                     # also role_arn, region, endpoint_url, addressing_style, requester_pays

[s3.buckets.elsewhere]               # the same for one bucket; what is said here replaces all of [s3] for it
endpoint_url = "https://minio.example"

[params.FeaturesTask]                # task parameters, as in luigi.cfg
window = 7
```
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from superluigi.errors import SettingsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = [
    "TRIGGERS",
    "VERIFY_MODES",
    "Settings",
    "checked_triggers",
    "checked_verify",
    "load_settings",
]

TRIGGERS = frozenset({"missing", "missing_anywhere", "inputs", "code", "output", "env"})
VERIFY_MODES = ("stat", "content", "catalog")
_DURABILITIES = ("detect", "fsync")
_CODE_KEYS = ("roots", "includes", "excludes")
_S3_KEYS = ("profile", "role_arn", "region", "endpoint_url", "addressing_style", "requester_pays")
_TYPE_NAMES = {int: "number", bool: "true or false", dict: "table"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a project decided once."""

    rerun_on: frozenset[str] = frozenset({"missing", "inputs"})
    verify: str = "stat"
    verify_ttl_s: float = 600.0
    durability: str = "detect"
    plain_targets: bool = True
    adopt_read_max_bytes: int = 64 << 20
    cache_max_bytes: int = 50 << 30
    """0 for any amount."""
    cache_min_free_bytes: int = 1 << 30
    offline: bool = False
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Family → parameter → value."""
    code: Mapping[str, Any] = field(default_factory=dict)
    """`roots`, `includes`, `excludes`: what counts as project code."""
    s3: Mapping[str, Any] = field(default_factory=dict)
    """With which account the upkeep of the catalog looks at S3; `buckets`: bucket → the same for it."""
    source: str = ""
    """The file that they come from; empty for the defaults."""


def load_settings(root: Path | None) -> Settings:
    """The settings of the project at `root`.

    Raises:
        SettingsError: a file that is no TOML, an unknown key, a value that cannot be.
    """
    if root is None:
        return Settings()
    own = root / "superluigi.toml"
    if own.is_file():
        return settings_from(_read(own), str(own))
    shared = root / "pyproject.toml"
    if shared.is_file() and b"superluigi" in shared.read_bytes():
        table = _read(shared).get("tool", {}).get("superluigi", {})
        return settings_from(table, f"{shared} [tool.superluigi]") if table else Settings()
    return Settings()


def settings_from(table: Mapping[str, Any], source: str) -> Settings:
    """Settings from a parsed table.

    Raises:
        SettingsError: an unknown key, or a value that cannot be.
    """
    known = {f.name for f in fields(Settings)} - {"source"}
    unknown = sorted(set(table) - known)
    if unknown:
        message = f"{source}: unknown key {unknown[0]!r}. Known are {', '.join(sorted(known))}."
        raise SettingsError(message)
    values = dict(table)
    if "rerun_on" in values:
        values["rerun_on"] = checked_triggers(values["rerun_on"], source)
    settings = replace(Settings(source=source), **values)
    checked_verify(settings.verify, source)
    _checked_choice("durability", settings.durability, _DURABILITIES, source)
    _check_types(settings, source)
    _check_s3(settings, source)
    return settings


def checked_triggers(names: Any, source: str) -> frozenset[str]:
    """A set of trigger names.

    Raises:
        SettingsError: an unknown one.
    """
    if not isinstance(names, Iterable):
        message = f"{source}: rerun_on = {names!r} is no list of triggers."
        raise SettingsError(message)
    given = frozenset({names} if isinstance(names, str) else map(str, names))
    unknown = sorted(given - TRIGGERS)
    if unknown:
        message = (
            f"{source}: unknown trigger {unknown[0]!r} in rerun_on. "
            f"Known are {', '.join(sorted(TRIGGERS))}."
        )
        raise SettingsError(message)
    return given


def checked_verify(name: Any, source: str) -> str:
    """A way to check targets.

    Raises:
        SettingsError: an unknown one.
    """
    return _checked_choice("verify", name, VERIFY_MODES, source)


def _checked_choice(key: str, value: Any, choices: tuple[str, ...], source: str) -> str:
    if value not in choices:
        message = f"{source}: {key} = {value!r} is not one of {', '.join(choices)}."
        raise SettingsError(message)
    return str(value)


def _check_types(settings: Settings, source: str) -> None:
    expected: dict[str, tuple[type, ...]] = {
        "verify_ttl_s": (int, float),
        "plain_targets": (bool,),
        "adopt_read_max_bytes": (int,),
        "cache_max_bytes": (int,),
        "cache_min_free_bytes": (int,),
        "offline": (bool,),
        "params": (dict,),
        "code": (dict,),
        "s3": (dict,),
    }
    for key, types in expected.items():
        value = getattr(settings, key)
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            message = f"{source}: {key} = {value!r} is no {_TYPE_NAMES[types[0]]}."
            raise SettingsError(message)

    for family, params in settings.params.items():
        if not isinstance(params, dict):
            message = f"{source}: [params] {family} = {params!r}: write [params.{family}] and its parameters."
            raise SettingsError(message)
    for key, names in settings.code.items():
        if key not in _CODE_KEYS:
            message = f"{source}: unknown key {key!r} in [code]. Known are {', '.join(_CODE_KEYS)}."
            raise SettingsError(message)
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            message = f"{source}: [code] {key} = {names!r} is no list of texts."
            raise SettingsError(message)


def _check_s3(settings: Settings, source: str) -> None:
    buckets = settings.s3.get("buckets", {})
    if not isinstance(buckets, dict) or not all(
        isinstance(each, dict) for each in buckets.values()
    ):
        message = f"{source}: [s3] buckets = {buckets!r}: write [s3.buckets.NAME] and its keys."
        raise SettingsError(message)
    own = {key: value for key, value in settings.s3.items() if key != "buckets"}
    tables = {"s3": own, **{f"s3.buckets.{name}": table for name, table in buckets.items()}}
    for name, table in tables.items():
        for key, value in table.items():
            if key not in _S3_KEYS:
                message = (
                    f"{source}: unknown key {key!r} in [{name}]. Known are {', '.join(_S3_KEYS)}."
                )
                raise SettingsError(message)
            kind = bool if key == "requester_pays" else str
            if not isinstance(value, kind):
                expected = "true or false" if kind is bool else "text"
                message = f"{source}: [{name}] {key} = {value!r} is no {expected}."
                raise SettingsError(message)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path} is not valid TOML: {error}. Correct it, or remove it."
        raise SettingsError(message) from error
