"""One pass over the sources: from a class to what its file, its cells or its bases say."""

from __future__ import annotations

import sys
from pathlib import Path

from superluigi.code.assembly import assemble, fingerprint_of_text
from superluigi.code.cache import TableCache
from superluigi.code.closure import Survey
from superluigi.code.linker import Linker
from superluigi.code.locate import (
    Location,
    file_of,
    is_of_library,
    location_of,
    order_at_run_time,
    place_of,
)
from superluigi.code.notebook import notebook_source
from superluigi.code.project_code import ProjectCode
from superluigi.code.reach import reach
from superluigi.code.records import CodeFingerprint, NotFollowed
from superluigi.code.roots import search_path

__all__ = ["ClassReader", "without_source"]


class ClassReader:
    """Reads classes; every file at most once.

    Args:
        cache: The tables of files.
        roots: Directories of project code; None for each class's own project.
        includes: Installed packages that count.
        excludes: Modules that do not.
    """

    def __init__(
        self,
        cache: TableCache,
        roots: tuple[str, ...] | None = None,
        includes: tuple[str, ...] = (),
        excludes: tuple[str, ...] = (),
    ) -> None:
        self._cache = cache
        self._roots = roots
        self._includes = includes
        self._excludes = excludes
        self._surveys: dict[object, Survey] = {}

    def read(self, cls: type) -> CodeFingerprint:
        """The fingerprint of a live class."""
        if is_of_library(cls):
            return without_source(cls, "library", cls.__module__)
        file = file_of(cls)
        found = None if file is None else self.read_at(file, cls.__qualname__, cls.__module__)
        return found or self._from_notebook(cls) or self._from_bases(cls, file)

    def read_at(self, file: Path, qualname: str, module: str) -> CodeFingerprint | None:
        """The fingerprint of the class that stands in a file; None if it stands there not."""
        location = self._location(file, module)
        survey = self._survey(location)
        place = place_of(survey.linker, location.path, qualname)
        if place is None:
            return None
        return assemble(survey.linker.project, reach(survey, survey.linker.order(place)))

    def _from_notebook(self, cls: type) -> CodeFingerprint | None:
        """A class of a module without a file, by the cells that defined it."""
        namespace = getattr(sys.modules.get(cls.__module__), "__dict__", {})
        text = notebook_source(cls.__module__, dict(namespace))
        location = self._location(Path.cwd() / "<notebook>", cls.__module__)
        survey = self._new_survey(location)
        module = survey.linker.project.add_text(cls.__module__, location.path, text)
        place = module, cls.__qualname__
        if survey.linker.class_at(place) is None:
            return None
        return assemble(survey.linker.project, reach(survey, survey.linker.order(place)))

    def _from_bases(self, cls: type, file: Path | None) -> CodeFingerprint:
        """A class that no source defines, such as one that `type()` made."""
        bases = [base for base in cls.__mro__[1:] if not is_of_library(base)]
        for each in [file] if file else map(file_of, bases):
            survey = None if each is None else self._survey(self._location(each, cls.__module__))
            order = [] if survey is None else order_at_run_time(survey.linker, cls)
            if survey is None or not any(base.place for base in order):
                continue
            project = survey.linker.project
            module = None if file is None else project.at(file.as_posix())
            extra = [] if module is None else [(module, cls.__qualname__.partition(".")[0])]
            found = assemble(project, reach(survey, order, extra), cls.__qualname__)
            entry = _entry(cls, "class_made_at_run_time", cls.__module__)
            not_followed = tuple(sorted((*found.not_followed, entry)))
            return CodeFingerprint(found.fingerprint, found.parts, not_followed)
        return without_source(cls, "lost_source", cls.__module__)

    def _location(self, file: Path, module: str) -> Location:
        return location_of(file, module, self._roots, self._includes)

    def _survey(self, location: Location) -> Survey:
        key = (location.roots, location.base)
        if key not in self._surveys:
            self._surveys[key] = self._new_survey(location)
        return self._surveys[key]

    def _new_survey(self, location: Location) -> Survey:
        path = search_path(location.roots, location.base)
        return Survey(Linker(ProjectCode(location.roots, path, self._cache, self._excludes)))


def without_source(cls: type, kind: str, text: str) -> CodeFingerprint:
    """The fingerprint of a class whose source cannot be read: its name alone."""
    entry = _entry(cls, kind, text)
    return CodeFingerprint(
        fingerprint_of_text("no source", _own(cls, "__qualname__")), (), (entry,)
    )


def _entry(cls: type, kind: str, text: str) -> NotFollowed:
    name = f"{_own(cls, '__module__')}.{_own(cls, '__qualname__')}"
    return NotFollowed(kind, name, "", 0, text)


def _own(cls: type, attribute: str) -> str:
    """An attribute of a class, whatever its metaclass makes of asking for it."""
    return str(type.__getattribute__(cls, attribute))
