"""What a reference means: a task by its hash, or the beginning of it, or by what it made."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from superluigi_catalog.errors import AmbiguousHash, TaskNotFound
from superluigi_catalog.project import Project
from superluigi_catalog.reading.builds import build_number
from superluigi_catalog.reading.runs import run_number
from superluigi_catalog.reading.standing import with_standing
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import storable

__all__ = ["MIN_PREFIX", "References"]

MIN_PREFIX = 4
"""Hex digits that the beginning of a hash needs, so that `data` or `ab` stay names of files."""

SIDECAR_SUFFIX = ".metadata.json"

_MAX_LISTED = 10
_PREFIX = re.compile(r"[0-9a-fA-F]{4,32}")


@dataclass(frozen=True)
class References:
    """Finds what is meant, in one catalog of one project."""

    session: Session
    project: Project

    def task(self, ref: Any, *, when: str | None = None) -> int:
        """Identify the task that a reference means.

        Args:
            ref: A task hash or 4 or more digits of its beginning; a path or URI of a target (then the
                task whose content stands there by the records, else the one that declares it); or any
                object with a `task_hash`.
            when: Whose content stood there then, not now.

        Raises:
            TaskNotFound: nothing answers to it; the message suggests what does.
            AmbiguousHash: several tasks do.
        """
        found = self.task_by_hash(ref)
        if found is None:
            target = self.target(ref)
            found = None if target is None else self._by_target(target, self.text(ref), when)
        if found is None:
            self.not_found(ref)
        return found

    def task_by_hash(self, ref: Any) -> int | None:
        """Identify the task that a hash or the beginning of one means.

        Raises:
            AmbiguousHash: several tasks begin so.
        """
        text = self.text(ref)
        if not _PREFIX.fullmatch(text):
            return None
        prefix = text.lower()
        # A range, because LIKE would read the whole table; "g" comes after all hex digits.
        rows = self.session.rows(
            "SELECT id, hash FROM tasks WHERE hash >= ? AND hash < ? ORDER BY hash LIMIT ?",
            (prefix, f"{prefix}g", _MAX_LISTED + 1),
        )
        if len(rows) > 1:
            self._ambiguous(text, [task_hash for _, task_hash in rows], "begin with it")
        return rows[0][0] if rows else None

    def build(self, uuid: str) -> int:
        """Identify a build by its id or the beginning of it.

        Raises:
            TaskNotFound: there is none with this id.
            AmbiguousHash: several begin so.
        """
        found = build_number(self.session, uuid)
        if found is None:
            self.no_such("build", uuid)
        return found

    def run(self, uuid: str) -> int:
        """Identify a run.

        Raises:
            TaskNotFound: there is none with this id.
        """
        found = run_number(self.session, uuid)
        if found is None:
            self.no_such("run", uuid)
        return found

    def target(self, ref: Any) -> int | None:
        """Identify the target that a path or URI means, or the one of a sidecar's path."""
        text = self.text(ref)
        for path in (text, text.removesuffix(SIDECAR_SUFFIX)):
            if not path:
                continue
            key = storable(self.project.stored_path(path))
            found = self.session.row("SELECT id FROM targets WHERE uri = ?", (key,))
            if found is not None:
                return int(found[0])
        return None

    def text(self, ref: Any) -> str:
        """Bring a reference into the form of text.

        Raises:
            TypeError: it is of no kind that can be a reference.
        """
        task_hash = getattr(ref, "task_hash", None)
        if isinstance(task_hash, str):
            return task_hash
        if isinstance(ref, (str, os.PathLike)):
            return os.fsdecode(ref)
        message = (
            f"{ref!r} is no reference to a task. Give a task hash or its beginning, the path or URI "
            "of a target, or a task."
        )
        raise TypeError(message)

    def not_found(self, ref: Any) -> NoReturn:
        """Say what was looked for, and what comes near.

        Raises:
            TaskNotFound: always.
        """
        text = self.text(ref)
        path = self.session.path
        stored = self.project.stored_path(text) if text else text
        looked = "a task hash" if _PREFIX.fullmatch(text) else f"a target at {stored!r}"
        message = f"Nothing is recorded under {text!r} (looked for {looked} in {path!r})."
        hint = self._hint(text, stored)
        raise TaskNotFound(f"{message} {hint}".rstrip(), ref=text, path=path)

    def no_such(self, kind: str, uuid: str) -> NoReturn:
        """Say that there is no run or build with an id.

        Raises:
            TaskNotFound: always.
        """
        path = self.session.path
        message = f"No {kind} with the id {uuid!r} is recorded in {path!r}. superluigi {kind}s lists them."
        raise TaskNotFound(message, ref=uuid, path=path)

    def _by_target(self, target: int, text: str, when: str | None) -> int | None:
        found = self.session.row(*_maker_of(target, when))
        if found is not None:
            return int(found[0])
        rows = self.session.rows(
            """
            SELECT DISTINCT t.id, t.hash FROM task_targets o JOIN tasks t ON t.id = o.task_id
            WHERE o.target_id = ? ORDER BY t.id DESC LIMIT ?
            """,
            (target, _MAX_LISTED + 1),
        )
        if len(rows) > 1:
            self._ambiguous(text, [task_hash for _, task_hash in rows], "declare it as an output")
        return rows[0][0] if rows else None

    def _ambiguous(self, text: str, hashes: list[str], relation: str) -> NoReturn:
        listed = ", ".join(hashes[:_MAX_LISTED])
        more = " and others" if len(hashes) > _MAX_LISTED else ""
        message = f"{text!r} stands for several tasks: {listed}{more} {relation}. Give more digits of one."
        raise AmbiguousHash(
            message, ref=text, matches=tuple(hashes[:_MAX_LISTED]), path=self.session.path
        )

    def _hint(self, text: str, stored: str) -> str:
        if re.fullmatch(r"[0-9a-fA-F]+", text) and len(text) < MIN_PREFIX:
            return f"The beginning of a hash needs {MIN_PREFIX} digits."
        if self.session.row("SELECT 1 FROM families WHERE name = ?", (storable(text),)):
            return f"It is a family: name one of its tasks (superluigi tasks --family {text} lists them)."
        near = difflib.get_close_matches(stored, self._neighbours(stored), n=3)
        near += difflib.get_close_matches(text, self._families(), n=2)
        return f"Did you mean {' or '.join(map(repr, near))}?" if near else ""

    def _neighbours(self, stored: str) -> list[str]:
        """List some targets of the same folder."""
        folder = storable(stored.rpartition("/")[0])
        low, high = (f"{folder}/", f"{folder}0") if folder else ("", "\U0010ffff")
        return [
            uri
            for (uri,) in self.session.rows(
                "SELECT uri FROM targets WHERE uri >= ? AND uri < ? LIMIT 1000", (low, high)
            )
        ]

    def _families(self) -> list[str]:
        return [name for (name,) in self.session.rows("SELECT name FROM families LIMIT 10000")]


def _maker_of(target: int, when: str | None) -> tuple[str, tuple[Any, ...]]:
    if when is None:
        sql = "SELECT r.task_id FROM targets g JOIN runs r ON r.id = g.run_id WHERE g.id = ?"
        return sql, (target,)
    sql = """
    SELECT r.task_id FROM contents k CROSS JOIN run_outputs o ON o.content_id = k.id
    CROSS JOIN runs r ON r.id = o.run_id
    WHERE k.target_id = ? AND r.ended_at <= ? AND r.status IN STANDING
    ORDER BY r.ended_at DESC, r.id DESC LIMIT 1
    """
    return with_standing(sql), (target, when)
