"""What Datasette should know of a catalog: what its tables are, and the questions that it answers.

Source: https://docs.datasette.io/en/stable/metadata.html
"""

from __future__ import annotations

from typing import Any

__all__ = ["datasette_metadata"]

_TABLES: dict[str, dict[str, Any]] = {
    "tasks": {
        "description": "Every task that a build declared, or that somebody's input names (is_stub).",
        "label_column": "hash",
        "sort_desc": "id",
        "facets": ["family_id"],
        "columns": {
            "hash": "The identity: family, significant parameters and everything upstream.",
            "is_stub": "1: known only as somebody's input; its own inputs are unknown, not none.",
            "last_run_id": "The newest run, whatever became of it.",
            "current_run_id": "The newest run that stands for the task's targets.",
        },
    },
    "runs": {
        "description": "Every execution of a task.",
        "label_column": "uuid",
        "sort_desc": "started_at",
        "facets": ["status"],
        "columns": {
            "reason": "Why it ran: kind, text, details.",
            "metadata": "What the task added to its sidecar.",
            "origin": "local, or sidecar when it is known from one only.",
        },
    },
    "builds": {
        "description": "Every call of run_task.",
        "label_column": "uuid",
        "sort_desc": "started_at",
        "facets": ["status"],
    },
    "targets": {
        "description": "Places: what was last seen there, and whose content it should be.",
        "label_column": "uri",
        "facets": ["state", "kind"],
    },
    "contents": {
        "description": "What was ever seen at a target; the same bytes again are the same row.",
        "label_column": "fingerprint",
    },
    "tasks_words": {"description": "The words that the search knows.", "hidden": True},
    "families": {"description": "Names of task classes.", "label_column": "name"},
    "edges": {
        "description": "The graph as it stands: kind 0 required, 1 yielded, 2 consumed instead, "
        "3 required, but what another task had made was consumed.",
    },
    "run_inputs": {"description": "Exactly what a run consumed."},
    "run_outputs": {"description": "Exactly what a run made."},
    "task_overview": {
        "description": "Tasks with their last run.",
        "fts_table": "tasks_fts",
        "fts_pk": "id",
        "facets": ["family", "last_status"],
        "sort_desc": "last_started",
    },
    "run_overview": {
        "description": "Runs with task, reason and error.",
        "facets": ["status", "family"],
        "sort_desc": "started_at",
    },
    "target_overview": {
        "description": "What stands where, who made it, and whether it is still as made.",
        "facets": ["state", "family"],
    },
    "lineage": {"description": "Which task depends on which, and how."},
    "consumption": {"description": "Which run consumed which content, and who had made it."},
    "stale_inputs": {
        "description": "Inputs that are no longer what the current run of their task consumed."
    },
}

_HIDDEN = (
    *("modules", "param_names", "task_params", "code_sources", "_sqlite_migrations"),
    *("exported_runs", "sidecars", "leases"),
)

_QUERIES: dict[str, dict[str, str]] = {
    "upstream": {
        "title": "What a task was made from",
        "sql": """
WITH RECURSIVE reached(id) AS (
  SELECT id FROM tasks WHERE hash >= :hash AND hash < :hash || 'g' UNION
  SELECT e.upstream_id FROM reached CROSS JOIN edges e ON e.task_id = reached.id WHERE e.kind < 3)
SELECT o.* FROM reached JOIN task_overview o ON o.id = reached.id""",
    },
    "downstream": {
        "title": "What was made from a task's results",
        "sql": """
WITH RECURSIVE reached(id) AS (
  SELECT id FROM tasks WHERE hash >= :hash AND hash < :hash || 'g' UNION
  SELECT e.task_id FROM reached CROSS JOIN edges e ON e.upstream_id = reached.id WHERE e.kind < 3)
SELECT o.* FROM reached JOIN task_overview o ON o.id = reached.id""",
    },
    "who_made": {
        "title": "Which runs made a content, by the beginning of its fingerprint (sha256:…)",
        "sql": """
SELECT k.fingerprint, g.uri, r.* FROM contents k JOIN targets g ON g.id = k.target_id
JOIN run_outputs o ON o.content_id = k.id JOIN run_overview r ON r.id = o.run_id
WHERE k.fingerprint >= :fingerprint AND k.fingerprint < :fingerprint || char(1114111)
ORDER BY r.started_at DESC""",
    },
    "failures": {
        "title": "The newest failures",
        "sql": """
SELECT started_at, family, params, error_type, error, run FROM run_overview
WHERE status = 'failed' ORDER BY started_at DESC LIMIT 100""",
    },
    "slowest_families": {
        "title": "Where the time goes",
        "sql": """
SELECT family, count(*) AS runs, round(sum(duration_s), 1) AS total_s, round(avg(duration_s), 2) AS mean_s
FROM run_overview WHERE status = 'succeeded' GROUP BY family ORDER BY total_s DESC""",
    },
}


def datasette_metadata(database: str) -> dict[str, Any]:
    """Describe a catalog for Datasette: `datasette catalog.db --metadata metadata.json`.

    Args:
        database: The name of the file without `.db`, as Datasette calls it.

    Returns:
        JSON types.
    """
    tables = _TABLES | {name: {"hidden": True} for name in _HIDDEN}
    queries = {name: {**query, "sql": query["sql"].strip()} for name, query in _QUERIES.items()}
    return {
        "title": "Super Luigi",
        "description": "Where every target came from, and whether it is still right.",
        "databases": {database: {"tables": tables, "queries": queries}},
    }
