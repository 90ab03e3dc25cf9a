"""The catalog's upkeep: what is called now and then, by a person rather than by a build.

Imported when it is called: builds do not need it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superluigi_catalog.places import Places, copies_of, places_of, uploads_of
from superluigi_catalog.reader import Reader

if TYPE_CHECKING:
    from superluigi_catalog import upkeep

__all__ = ["Keeper"]

Ref = str | os.PathLike[str]


class Keeper(Reader):
    """Keeps the catalog right."""

    def rebuild(
        self,
        *roots: Ref,
        content: bool = False,
        progress: upkeep.Report | None = None,
    ) -> upkeep.Rebuilt:
        """Record what the sidecars below some places say; what is known already stays.

        It can be interrupted at any time and called again; sidecars that have not changed since they were
        read are not read again. A target is taken as its sidecar says while its size and time, or ETag, are
        as written; otherwise it is read.

        Args:
            roots: Folders, `s3://` URIs, or single targets.
            content: Read all local targets.
            progress: Is told how many sidecars were found so far.

        Returns:
            What was found, with the sidecars that cannot be used: they are left as they are.

        Raises:
            PlaceUnknown: a root does not exist, or nothing here can look at it.
            CatalogReadOnly: it was opened for reading.
        """
        from superluigi_catalog import upkeep

        wanted = [(self._places(root), os.fspath(root)) for root in roots]
        return upkeep.rebuild(self, wanted, content=content, report=progress)

    def verify(
        self,
        *refs: Any,
        content: bool = False,
        progress: upkeep.Report | None = None,
    ) -> upkeep.Verified:
        """Compare targets with their records, and record what was seen, but nothing else.

        A target whose size and times, or ETag, are as last seen is as it was; another one is read. Local
        sidecars are read too. An unreadable store is a problem of its targets, not an error.

        Args:
            refs: Tasks, whose outputs are meant, or targets; none: all targets.
            content: Read all local targets, and ask S3 what each object holds.
            progress: Is told how many targets were checked so far.

        Raises:
            TaskNotFound: nothing answers to a ref.
            AmbiguousHash: several tasks do.
            PlaceUnknown: nothing here can look at a target's place.
        """
        from superluigi_catalog import upkeep

        targets = None
        if refs:
            with self._reading() as session:
                targets = [
                    number
                    for ref in refs
                    for number in upkeep.targets_meant(self._refs(session), ref)
                ]
        return upkeep.verify(self, self._places, targets, content=content, report=progress)

    def orphans(
        self, *, keep: Iterable[Any] = (), unused_days: float = 90, keep_runs: int = 10
    ) -> upkeep.Orphans:
        """List what nobody needs any more; nothing is removed.

        Of use is what the builds of the last days, and the newest one that succeeded, were asked for, with
        all upstream of it. Of the rest are listed: targets that runs of ours made, with their sidecars; local
        copies of remote targets; uploads in which a process died; and rows of old runs on which nothing stands.

        Args:
            keep: Tasks that are of use in any case, as refs, with all upstream of them.
            unused_days: What was made or read within them is kept.
            keep_runs: The newest runs of each task, however old.

        Raises:
            TaskNotFound, AmbiguousHash: for `keep`.
        """
        from superluigi_catalog import upkeep

        hashes = [self.task(ref).task_hash for ref in keep]
        return upkeep.orphans(
            self,
            self._places,
            copies_of(self.project),
            uploads_of(self.project),
            hashes,
            unused_days=unused_days,
            keep_runs=keep_runs,
        )

    def remove_orphans(
        self, found: upkeep.Orphans, *, progress: upkeep.Report | None = None
    ) -> upkeep.Orphans:
        """Remove what `orphans` listed, as far as nobody needs it still.

        A target is read first: whatever is not just what its run wrote stays where it is.

        Args:
            found: What `orphans` returned, or a part of it.
            progress: Is told how many targets were dealt with.

        Returns:
            The same, each with why it was kept where it was.

        Raises:
            CatalogReadOnly: it was opened for reading.
        """
        from superluigi_catalog import upkeep

        return upkeep.remove_orphans(
            self,
            self._places,
            copies_of(self.project),
            uploads_of(self.project),
            found,
            progress,
        )

    def export(self, path: Ref, *, replace: bool = False) -> Path:
        """Write a copy of the catalog, with all of its history, as it is at one instant.

        Args:
            path: The file to be made; it opens as a catalog.
            replace: Replace a file that is there, once the copy is whole.

        Returns:
            The file.

        Raises:
            CatalogError: a file is there, or cannot be written.
        """
        from superluigi_catalog import upkeep

        return upkeep.export(self, Path(path).expanduser(), replace=replace)

    def export_openlineage(
        self,
        client: Any = None,
        *,
        namespace: str | None = None,
        again: bool = False,
        progress: upkeep.Report | None = None,
    ) -> upkeep.Exported:
        """Tell a lineage server of the runs that ended and that it has not been told of.

        Args:
            client: An `OpenLineageClient`; by default one that finds its own configuration.
            namespace: Of the jobs; the name of the project's directory by default.
            again: Tell of all runs anew; they keep their ids.
            progress: Is told how many runs were told of.

        Raises:
            ExportUnavailable: the client is not installed.
            CatalogError: the server did not take an event; the next export goes on there.
            CatalogReadOnly: it was opened for reading: what was told must be recorded.
        """
        from superluigi_catalog import upkeep

        return upkeep.export_openlineage(
            self, client, namespace=namespace, again=again, report=progress
        )

    def merge(self, path: Ref) -> upkeep.Merged:
        """Take another catalog into this one: another machine's, a colleague's, or an older copy.

        Rows are matched by their natural keys: task hashes, ids of runs and builds, uris, fingerprints. What is
        known here stays, what is there in full and only mentioned here is filled in, so that merging twice is
        merging once. What stands at a local path is each machine's own: theirs counts only where nothing is
        known here. Of what all share (`s3://`), the newest run and the newest look count. An acceptance that was
        taken back on either side is taken back.

        Args:
            path: The other catalog's file; it is only read.

        Returns:
            How much was new.

        Raises:
            CatalogMissing, NotACatalog, CatalogTooNew, CatalogTooOld: it cannot be read.
            RecordRefused: it holds what no catalog may; nothing of it was kept.
        """
        from superluigi_catalog import upkeep

        return upkeep.merge(self, Path(path).expanduser())

    def _places(self, place: Ref) -> Places:
        return places_of(os.fspath(place), self.project)
