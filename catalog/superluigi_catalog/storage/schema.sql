-- The lineage catalog, form 1. Needs SQLite 3.37 or newer (STRICT).
-- An id is local to the file and never leaves it; what leaves is a hash, a run's or build's id, a uri.
-- Times are UTC, ISO 8601 with microseconds and a Z; *_ns are nanoseconds since the epoch.
-- A row that is only mentioned by others is a stub: a task with is_stub = 1, a run or build without status.

CREATE TABLE families (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  typical_s REAL                          -- moving average of its runs that succeeded, for estimates
) STRICT;

CREATE TABLE modules (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE tasks (
  id INTEGER PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE CHECK (length(hash) = 32 AND hash NOT GLOB '*[^0-9a-f]*'),
  family_id INTEGER REFERENCES families(id),     -- NULL only in a stub
  module_id INTEGER REFERENCES modules(id),
  luigi_task_id TEXT NOT NULL DEFAULT '',
  params TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(params)),
  insignificant_params TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(insignificant_params)),
  words TEXT NOT NULL DEFAULT '',                -- what the search finds
  is_external INTEGER NOT NULL DEFAULT 0,
  is_stub INTEGER NOT NULL DEFAULT 0,            -- known only as somebody's input: its own inputs are unknown, not none
  declared TEXT,                                 -- digest of what the last build declared; NULL: no build did
  last_run_id INTEGER REFERENCES runs(id),       -- newest start
  current_run_id INTEGER REFERENCES runs(id)     -- newest success
) STRICT;
CREATE INDEX tasks_family ON tasks(family_id, id);
CREATE INDEX tasks_not_run ON tasks(id) WHERE current_run_id IS NULL;

CREATE TABLE param_names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE task_params (                       -- finds tasks by a parameter; tasks.params has them all
  param_id INTEGER NOT NULL REFERENCES param_names(id),
  value TEXT NOT NULL,                           -- the beginning of a long one
  task_id INTEGER NOT NULL REFERENCES tasks(id),
  PRIMARY KEY (param_id, value, task_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE edges (                             -- the graph as it stands
  task_id INTEGER NOT NULL REFERENCES tasks(id),
  place TEXT NOT NULL,
  upstream_id INTEGER NOT NULL REFERENCES tasks(id),
  kind INTEGER NOT NULL DEFAULT 0,               -- 0 required, 1 yielded by the current run, 2 consumed by it instead,
                                                 -- 3 required, but it consumed what another task had made
  PRIMARY KEY (task_id, place, upstream_id, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX edges_upstream ON edges(upstream_id, task_id);

CREATE TABLE builds (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  status TEXT CHECK (status IN ('running', 'succeeded', 'failed', 'interrupted')),
  started_at TEXT,
  ended_at TEXT,
  roots TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(roots)),
  host TEXT NOT NULL DEFAULT '',
  user TEXT NOT NULL DEFAULT '',
  cwd TEXT NOT NULL DEFAULT '',
  argv TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(argv)),
  arguments TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(arguments)),
  versions TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(versions)),
  directory TEXT NOT NULL DEFAULT '',
  owner TEXT NOT NULL DEFAULT '',
  counts TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(counts)),
  error TEXT
) STRICT;
CREATE INDEX builds_started ON builds(started_at);
CREATE INDEX builds_running ON builds(id) WHERE status = 'running';

CREATE TABLE code (                              -- what the code of a task was
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,                   -- over content
  fingerprint TEXT,                              -- the same one stands here again when only lines moved
  content TEXT NOT NULL CHECK (json_valid(content))  -- parts, not_followed
) STRICT;

CREATE TABLE code_sources (                      -- the source text of a part, once
  id INTEGER PRIMARY KEY,
  fingerprint TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL
) STRICT;

CREATE TABLE environments (
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  content TEXT NOT NULL CHECK (json_valid(content))
) STRICT;

CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  task_id INTEGER NOT NULL REFERENCES tasks(id),
  build_id INTEGER REFERENCES builds(id),
  code_id INTEGER REFERENCES code(id),
  environment_id INTEGER REFERENCES environments(id),
  status TEXT CHECK (status IN ('running', 'succeeded', 'failed', 'interrupted', 'unchanged', 'adopted', 'shared',
                                'accepted', 'withdrawn')),
  started_at TEXT,
  ended_at TEXT,
  duration_s REAL,
  origin TEXT NOT NULL DEFAULT 'local',          -- local, or sidecar when indexed from one
  owner TEXT NOT NULL DEFAULT '',
  log TEXT NOT NULL DEFAULT '',
  error_type TEXT,
  error TEXT,
  reason TEXT CHECK (reason IS NULL OR json_valid(reason)),
  reasons TEXT CHECK (reasons IS NULL OR json_valid(reasons)),  -- NULL: the reason alone
  metadata TEXT CHECK (metadata IS NULL OR json_valid(metadata)),
  traceback TEXT
) STRICT;
CREATE INDEX runs_task ON runs(task_id, id);
CREATE INDEX runs_build ON runs(build_id);
CREATE INDEX runs_started ON runs(started_at);
CREATE INDEX runs_running ON runs(id) WHERE status = 'running';
CREATE INDEX runs_failed ON runs(task_id) WHERE status IN ('failed', 'interrupted');
CREATE INDEX runs_adopted ON runs(task_id) WHERE status = 'adopted';

CREATE TABLE targets (                           -- a place; several tasks may claim it over time
  id INTEGER PRIMARY KEY,
  uri TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL DEFAULT 'unknown' CHECK (state IN ('unknown', 'present', 'missing', 'partial', 'error')),
  token TEXT,                                    -- what the last look showed
  seen_content_id INTEGER REFERENCES contents(id),  -- the content behind it, or that was last seen; NULL: not read
  size_bytes INTEGER,
  mtime_ns INTEGER,
  etag TEXT,
  version_id TEXT,
  observed_ns INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  run_id INTEGER REFERENCES runs(id),            -- whose content stands there by the records,
  run_content_id INTEGER REFERENCES contents(id),  -- what it was,
  run_place TEXT                                 -- and where it stands in that task's output()
) STRICT;
CREATE INDEX targets_gone ON targets(id) WHERE state IN ('missing', 'partial');
CREATE INDEX targets_unread ON targets(id) WHERE state = 'present' AND seen_content_id IS NULL;

CREATE TABLE task_targets (                      -- outputs that a task declares
  task_id INTEGER NOT NULL REFERENCES tasks(id),
  place TEXT NOT NULL,
  target_id INTEGER NOT NULL REFERENCES targets(id),
  PRIMARY KEY (task_id, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_targets_target ON task_targets(target_id, task_id);

CREATE TABLE contents (                          -- what was ever seen at a target; the same bytes again are the same row
  id INTEGER PRIMARY KEY,
  target_id INTEGER NOT NULL REFERENCES targets(id),
  fingerprint TEXT NOT NULL,
  size_bytes INTEGER,
  file_count INTEGER,
  UNIQUE (fingerprint, target_id)                -- in this order it finds a digest, whole or its beginning, too
) STRICT;
CREATE INDEX contents_target ON contents(target_id);

CREATE TABLE run_outputs (
  run_id INTEGER NOT NULL REFERENCES runs(id),
  place TEXT NOT NULL,
  content_id INTEGER NOT NULL REFERENCES contents(id),
  mtime_ns INTEGER,
  etag TEXT,
  version_id TEXT,
  PRIMARY KEY (run_id, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_outputs_content ON run_outputs(content_id, run_id);

CREATE TABLE run_inputs (                        -- exactly what a run consumed
  run_id INTEGER NOT NULL REFERENCES runs(id),
  place TEXT NOT NULL,
  content_id INTEGER NOT NULL REFERENCES contents(id),
  source_task_id INTEGER REFERENCES tasks(id),   -- who had made it, where known
  source_run_id INTEGER REFERENCES runs(id),
  etag TEXT,
  version_id TEXT,
  PRIMARY KEY (run_id, place, content_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_inputs_content ON run_inputs(content_id, run_id);

CREATE TABLE leases (                            -- who runs a task just now; other builds wait for it
  task_id INTEGER PRIMARY KEY REFERENCES tasks(id),
  run_id INTEGER NOT NULL REFERENCES runs(id),
  owner TEXT NOT NULL,
  acquired_ns INTEGER NOT NULL,
  beat_ns INTEGER NOT NULL                       -- when the owner was last heard of
) STRICT;

CREATE TABLE exported_runs (                     -- which OpenLineage has been told of
  run_id INTEGER PRIMARY KEY REFERENCES runs(id)
) STRICT;

CREATE TABLE sidecars (                          -- as a rebuild read them; unchanged ones are not read again
  uri TEXT PRIMARY KEY,                          -- of the sidecar itself
  token TEXT NOT NULL,
  target_id INTEGER REFERENCES targets(id),      -- whose it is; NULL: it cannot be used
  problem TEXT,                                  -- why
  text TEXT NOT NULL DEFAULT ''                  -- the same for people
) STRICT, WITHOUT ROWID;

-- Without spaces around =: by that text other tools find out what it searches.
CREATE VIRTUAL TABLE tasks_fts USING fts5(words, content="tasks", content_rowid="id", prefix='1 2 3');
CREATE VIRTUAL TABLE tasks_words USING fts5vocab("tasks_fts", "instance");  -- the words that it knows
CREATE TRIGGER tasks_ai AFTER INSERT ON tasks BEGIN
  INSERT INTO tasks_fts(rowid, words) VALUES (new.id, new.words);
END;
CREATE TRIGGER tasks_ad AFTER DELETE ON tasks BEGIN
  INSERT INTO tasks_fts(tasks_fts, rowid, words) VALUES ('delete', old.id, old.words);
END;
CREATE TRIGGER tasks_au AFTER UPDATE OF words ON tasks WHEN old.words IS NOT new.words BEGIN
  INSERT INTO tasks_fts(tasks_fts, rowid, words) VALUES ('delete', old.id, old.words);
  INSERT INTO tasks_fts(rowid, words) VALUES (new.id, new.words);
END;

-- For whoever reads this file with other tools; Super Luigi itself does not use the views.
CREATE VIEW task_overview AS
SELECT t.id, t.hash, f.name AS family, t.params, r.status AS last_status,
       json_extract(r.reason, '$.kind') AS last_reason, r.started_at AS last_started, r.duration_s,
       (SELECT count(*) FROM edges e WHERE e.task_id = t.id AND e.kind < 3) AS inputs,
       (SELECT count(*) FROM edges e WHERE e.upstream_id = t.id AND e.kind < 3) AS used_by
FROM tasks t LEFT JOIN families f ON f.id = t.family_id LEFT JOIN runs r ON r.id = t.last_run_id;

CREATE VIEW run_overview AS
SELECT r.id, r.uuid AS run, r.status, r.started_at, r.duration_s, f.name AS family, t.hash AS task, t.params,
       json_extract(r.reason, '$.text') AS reason, r.error_type, r.error, b.uuid AS build
FROM runs r JOIN tasks t ON t.id = r.task_id LEFT JOIN families f ON f.id = t.family_id
LEFT JOIN builds b ON b.id = r.build_id
WHERE r.status IS NOT NULL;

-- What stands where, who made it, and whether it is still what that run wrote.
CREATE VIEW target_overview AS
SELECT g.id, g.uri, g.state, g.size_bytes, f.name AS family, t.hash AS task, r.uuid AS run, r.ended_at AS made_at,
       k.fingerprint, g.seen_content_id IS g.run_content_id AS is_as_made
FROM targets g LEFT JOIN runs r ON r.id = g.run_id LEFT JOIN tasks t ON t.id = r.task_id
LEFT JOIN families f ON f.id = t.family_id LEFT JOIN contents k ON k.id = g.seen_content_id;

-- Which run consumed what, made by which: exact versions.
CREATE VIEW consumption AS
SELECT r.uuid AS run, t.hash AS task, f.name AS family, i.place, g.uri, k.fingerprint, k.size_bytes,
       m.uuid AS made_by_run, u.hash AS made_by_task
FROM run_inputs i JOIN runs r ON r.id = i.run_id JOIN tasks t ON t.id = r.task_id
LEFT JOIN families f ON f.id = t.family_id
JOIN contents k ON k.id = i.content_id JOIN targets g ON g.id = k.target_id
LEFT JOIN runs m ON m.id = i.source_run_id LEFT JOIN tasks u ON u.id = i.source_task_id;

CREATE VIEW lineage AS
SELECT d.hash AS task, fd.name AS task_family, e.place, u.hash AS upstream, fu.name AS upstream_family,
       CASE e.kind WHEN 0 THEN 'required' WHEN 1 THEN 'yielded' ELSE 'consumed' END AS kind
FROM edges e
JOIN tasks d ON d.id = e.task_id LEFT JOIN families fd ON fd.id = d.family_id
JOIN tasks u ON u.id = e.upstream_id LEFT JOIN families fu ON fu.id = u.family_id
WHERE e.kind < 3;

-- A current run that consumed a content which is no longer the one at the input's target. A target that
-- is missing does not make its consumers stale: people delete intermediates to save space.
CREATE VIEW stale_inputs AS
SELECT t.id AS task_id, t.hash, i.place, g.uri, k.fingerprint AS consumed, s.fingerprint AS now
FROM tasks t
JOIN run_inputs i ON i.run_id = t.current_run_id
JOIN contents k ON k.id = i.content_id
JOIN targets g ON g.id = k.target_id
LEFT JOIN contents s ON s.id = g.seen_content_id
WHERE g.state = 'present' AND g.seen_content_id IS NOT i.content_id;
