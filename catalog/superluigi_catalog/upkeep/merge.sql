-- Another catalog, attached as `other`, becomes part of this one. Rows are matched by their natural keys; what is
-- known here stays. What still runs there is only mentioned: nobody knows yet how it will end.

INSERT INTO families(name, typical_s) SELECT name, typical_s FROM other.families WHERE true
  ON CONFLICT(name) DO UPDATE SET typical_s = coalesce(typical_s, excluded.typical_s);
INSERT OR IGNORE INTO modules(name) SELECT name FROM other.modules;
INSERT OR IGNORE INTO param_names(name) SELECT name FROM other.param_names;
INSERT OR IGNORE INTO environments(digest, content) SELECT digest, content FROM other.environments;
INSERT OR IGNORE INTO code(digest, fingerprint, content) SELECT digest, fingerprint, content FROM other.code;
INSERT OR IGNORE INTO code_sources(fingerprint, source) SELECT fingerprint, source FROM other.code_sources;

INSERT INTO builds(uuid, status, started_at, ended_at, roots, host, user, cwd, argv, arguments, versions,
    directory, owner, counts, error)
  SELECT uuid, status, started_at, ended_at, roots, host, user, cwd, argv, arguments, versions,
    directory, owner, counts, error FROM other.builds WHERE status <> 'running' ORDER BY started_at, id
  ON CONFLICT(uuid) DO UPDATE SET status = excluded.status, started_at = excluded.started_at,
    ended_at = excluded.ended_at, roots = excluded.roots, host = excluded.host, user = excluded.user,
    cwd = excluded.cwd, argv = excluded.argv, arguments = excluded.arguments, versions = excluded.versions,
    directory = excluded.directory, owner = excluded.owner, counts = excluded.counts, error = excluded.error
  WHERE builds.status IS NULL;
INSERT OR IGNORE INTO builds(uuid) SELECT uuid FROM other.builds;
CREATE TEMP TABLE merged_builds AS
  SELECT o.id AS theirs, m.id AS ours FROM other.builds o JOIN main.builds m ON m.uuid = o.uuid;
CREATE UNIQUE INDEX temp.merged_builds_theirs ON merged_builds(theirs);

-- Tasks that this catalog did not know, or only as somebody's input: theirs is all that is known of them.
CREATE TEMP TABLE taken_tasks AS
  SELECT o.id AS theirs, o.hash FROM other.tasks o LEFT JOIN main.tasks m ON m.hash = o.hash
  WHERE m.id IS NULL OR (m.is_stub AND NOT o.is_stub);
INSERT INTO tasks(hash, family_id, module_id, luigi_task_id, params, insignificant_params, words,
    is_external, is_stub)
  SELECT o.hash, f.id, n.id, o.luigi_task_id, o.params, o.insignificant_params, o.words, o.is_external,
    o.is_stub
  FROM taken_tasks k JOIN other.tasks o ON o.id = k.theirs
  LEFT JOIN other.families x ON x.id = o.family_id LEFT JOIN main.families f ON f.name = x.name
  LEFT JOIN other.modules y ON y.id = o.module_id LEFT JOIN main.modules n ON n.name = y.name
  WHERE true ORDER BY o.id
  ON CONFLICT(hash) DO UPDATE SET family_id = excluded.family_id, module_id = excluded.module_id,
    luigi_task_id = excluded.luigi_task_id, params = excluded.params,
    insignificant_params = excluded.insignificant_params, words = excluded.words,
    is_external = excluded.is_external, is_stub = excluded.is_stub;
CREATE TEMP TABLE merged_tasks AS
  SELECT o.id AS theirs, m.id AS ours FROM other.tasks o JOIN main.tasks m ON m.hash = o.hash;
CREATE UNIQUE INDEX temp.merged_tasks_theirs ON merged_tasks(theirs);
INSERT OR IGNORE INTO task_params(param_id, value, task_id)
  SELECT m.id, p.value, t.ours FROM other.task_params p JOIN merged_tasks t ON t.theirs = p.task_id
  JOIN other.param_names o ON o.id = p.param_id JOIN main.param_names m ON m.name = o.name;

-- Runs that this catalog did not know, or only from a mention or a sidecar, which tells less.
CREATE TEMP TABLE taken_runs AS
  SELECT o.id AS theirs FROM other.runs o LEFT JOIN main.runs m ON m.uuid = o.uuid
  WHERE o.status <> 'running'
    AND (m.status IS NULL OR (m.origin = 'sidecar' AND o.origin <> 'sidecar'));
INSERT INTO runs(uuid, task_id, build_id, code_id, environment_id, status, started_at, ended_at, duration_s,
    origin, owner, log, error_type, error, reason, reasons, metadata, traceback)
  SELECT o.uuid, t.ours, b.ours, c.id, e.id, o.status, o.started_at, o.ended_at, o.duration_s,
    o.origin, o.owner, o.log, o.error_type, o.error, o.reason, o.reasons, o.metadata, o.traceback
  FROM taken_runs k JOIN other.runs o ON o.id = k.theirs JOIN merged_tasks t ON t.theirs = o.task_id
  LEFT JOIN merged_builds b ON b.theirs = o.build_id
  LEFT JOIN other.code x ON x.id = o.code_id LEFT JOIN main.code c ON c.digest = x.digest
  LEFT JOIN other.environments y ON y.id = o.environment_id
  LEFT JOIN main.environments e ON e.digest = y.digest
  WHERE true ORDER BY o.started_at, o.id
  ON CONFLICT(uuid) DO UPDATE SET task_id = excluded.task_id, build_id = excluded.build_id,
    code_id = excluded.code_id, environment_id = excluded.environment_id, status = excluded.status,
    started_at = excluded.started_at, ended_at = excluded.ended_at, duration_s = excluded.duration_s,
    origin = excluded.origin, owner = excluded.owner, log = excluded.log, error_type = excluded.error_type,
    error = excluded.error, reason = excluded.reason, reasons = excluded.reasons,
    metadata = excluded.metadata, traceback = excluded.traceback;
INSERT OR IGNORE INTO runs(uuid, task_id)
  SELECT o.uuid, t.ours FROM other.runs o JOIN merged_tasks t ON t.theirs = o.task_id
  WHERE o.status IS NULL OR o.status = 'running';
CREATE TEMP TABLE merged_runs AS
  SELECT o.id AS theirs, m.id AS ours FROM other.runs o JOIN main.runs m ON m.uuid = o.uuid;
CREATE UNIQUE INDEX temp.merged_runs_theirs ON merged_runs(theirs);

INSERT OR IGNORE INTO targets(uri, kind) SELECT uri, kind FROM other.targets;
CREATE TEMP TABLE merged_targets AS
  SELECT o.id AS theirs, m.id AS ours, o.uri LIKE '%://%' AS is_shared
  FROM other.targets o JOIN main.targets m ON m.uri = o.uri;
CREATE UNIQUE INDEX temp.merged_targets_theirs ON merged_targets(theirs);
INSERT OR IGNORE INTO task_targets(task_id, place, target_id)
  SELECT t.ours, o.place, g.ours FROM other.task_targets o
  JOIN merged_tasks t ON t.theirs = o.task_id JOIN merged_targets g ON g.theirs = o.target_id;
INSERT OR IGNORE INTO contents(target_id, fingerprint, size_bytes, file_count)
  SELECT g.ours, o.fingerprint, o.size_bytes, o.file_count
  FROM other.contents o JOIN merged_targets g ON g.theirs = o.target_id;
CREATE TEMP TABLE merged_contents AS
  SELECT o.id AS theirs, m.id AS ours FROM other.contents o
  JOIN merged_targets g ON g.theirs = o.target_id
  JOIN main.contents m ON m.fingerprint = o.fingerprint AND m.target_id = g.ours;
CREATE UNIQUE INDEX temp.merged_contents_theirs ON merged_contents(theirs);
INSERT OR IGNORE INTO run_outputs(run_id, place, content_id, mtime_ns, etag, version_id)
  SELECT r.ours, o.place, c.ours, o.mtime_ns, o.etag, o.version_id
  FROM other.run_outputs o JOIN merged_runs r ON r.theirs = o.run_id
  JOIN merged_contents c ON c.theirs = o.content_id;
INSERT OR IGNORE INTO run_inputs(run_id, place, content_id, source_task_id, source_run_id, etag, version_id)
  SELECT r.ours, o.place, c.ours, t.ours, s.ours, o.etag, o.version_id
  FROM taken_runs k JOIN other.run_inputs o ON o.run_id = k.theirs
  JOIN merged_runs r ON r.theirs = o.run_id JOIN merged_contents c ON c.theirs = o.content_id
  LEFT JOIN merged_tasks t ON t.theirs = o.source_task_id
  LEFT JOIN merged_runs s ON s.theirs = o.source_run_id;

-- What stands at a place that all machines share is what the newest run left there, and the newest look showed. A
-- local path is another file on another machine: theirs counts only where nothing is known here.
UPDATE targets SET run_id = r.ours, run_content_id = c.ours, run_place = o.run_place
  FROM merged_targets g JOIN other.targets o ON o.id = g.theirs
  JOIN merged_runs r ON r.theirs = o.run_id JOIN main.runs n ON n.id = r.ours
  LEFT JOIN merged_contents c ON c.theirs = o.run_content_id
  WHERE targets.id = g.ours AND n.status <> 'withdrawn' AND (targets.run_id IS NULL OR (g.is_shared
    AND n.ended_at > (SELECT p.ended_at FROM main.runs p WHERE p.id = targets.run_id)));
UPDATE targets SET state = o.state, token = o.token, seen_content_id = c.ours, size_bytes = o.size_bytes,
    mtime_ns = o.mtime_ns, etag = o.etag, version_id = o.version_id, observed_ns = o.observed_ns,
    error = o.error
  FROM merged_targets g JOIN other.targets o ON o.id = g.theirs
  LEFT JOIN merged_contents c ON c.theirs = o.seen_content_id
  WHERE targets.id = g.ours AND g.is_shared AND o.observed_ns > targets.observed_ns;

-- A task's current run follows the same rule.
CREATE TEMP TABLE moved_tasks AS
  SELECT t.theirs, t.ours, r.ours AS run FROM merged_tasks t JOIN other.tasks o ON o.id = t.theirs
  JOIN main.tasks m ON m.id = t.ours JOIN merged_runs r ON r.theirs = o.current_run_id
  JOIN main.runs n ON n.id = r.ours
  WHERE n.status <> 'withdrawn' AND (m.current_run_id IS NULL
    OR (n.ended_at > (SELECT p.ended_at FROM main.runs p WHERE p.id = m.current_run_id)
      AND NOT EXISTS (SELECT 1 FROM main.task_targets w JOIN main.targets g ON g.id = w.target_id
        WHERE w.task_id = m.id AND g.uri NOT LIKE '%://%')));
UPDATE tasks SET current_run_id = k.run FROM moved_tasks k WHERE tasks.id = k.ours;
UPDATE tasks SET last_run_id = r.ours
  FROM merged_tasks t JOIN other.tasks o ON o.id = t.theirs
  JOIN merged_runs r ON r.theirs = o.last_run_id JOIN main.runs n ON n.id = r.ours
  WHERE tasks.id = t.ours AND n.status IS NOT NULL AND (tasks.last_run_id IS NULL
    OR n.started_at > (SELECT p.started_at FROM main.runs p WHERE p.id = tasks.last_run_id));

-- The edges are those of the current run.
CREATE TEMP TABLE taken_edges AS
  SELECT theirs, ours FROM moved_tasks
  UNION SELECT k.theirs, t.ours FROM taken_tasks k JOIN merged_tasks t ON t.theirs = k.theirs;
DELETE FROM edges WHERE task_id IN (SELECT ours FROM taken_edges);
INSERT OR IGNORE INTO edges(task_id, place, upstream_id, kind)
  SELECT k.ours, o.place, t.ours, o.kind FROM taken_edges k JOIN other.edges o ON o.task_id = k.theirs
  JOIN merged_tasks t ON t.theirs = o.upstream_id;
