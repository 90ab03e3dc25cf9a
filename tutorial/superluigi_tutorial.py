# %% [markdown]
# # Super Luigi, step by step
#
# Run this file from top to bottom (`make tutorial`), or open it in Jupyter with jupytext. It works in a
# temporary directory of its own and needs no network. Every claim is followed by an `assert`.

# %%
# ruff: noqa: E402, EM101, PT017, PTH123 - cells import where they teach, and raise and assert in plain sight
import csv
import logging
import os
import sys
import tempfile
from datetime import date
from pathlib import Path

project = Path(tempfile.mkdtemp(prefix="superluigi-tutorial-")).resolve()
os.chdir(project)

# A project is a directory with a `superluigi.toml` (or `luigi.cfg`, `pyproject.toml`, `.git`). An empty one
# is enough: every setting has a default. Lineage is kept in `.superluigi/` beside it.
Path("superluigi.toml").touch()

# %% [markdown]
# ## 1. A first task
#
# A task has parameters, says with `output()` where its result belongs, and makes it in `run()`.
# `AtomicTaskWithMetadata` hands `run()` a temporary `output_path`. The file appears at its own place only when
# `run()` has ended, so nobody ever sees half of it. (Your own tasks belong into modules: step 11 says why.)

# %%
from superluigi import plan_task, run_task
from superluigi.parameters import DateParameter, IntParameter
from superluigi.targets import LocalFileTarget, LocalFolderTarget, S3ObjectTarget
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask


class Sales(AtomicTaskWithMetadata):
    day = DateParameter()

    def output(self):
        return LocalFileTarget(f"data/sales/{self.day}.csv")

    def run(self, output_path):
        Path(output_path).write_text("apple,3\npear,5\n")


result = run_task(Sales(day=date(2024, 1, 1)), progress=False)
print(result)
assert Path("data/sales/2024-01-01.csv").read_text() == "apple,3\npear,5\n"

# %% [markdown]
# ## 2. Targets
#
# A target is a place: `LocalFileTarget`, `LocalFolderTarget`, and on S3 `S3ObjectTarget` and `S3PrefixTarget`.
# It has a `path`, it `exists()` or not, and it has a sidecar that says how it was made. A folder is published
# as a whole: its `output_path` exists and is empty when `run()` begins.

# %%
target = Sales(day=date(2024, 1, 1)).output()
assert target.exists()
assert target.metadata_path == "data/sales/2024-01-01.csv.metadata.json"


class SalesByFruit(AtomicTaskWithMetadata):
    day = DateParameter()

    def requires(self):
        return Sales(day=self.day)

    def output(self):
        return LocalFolderTarget(f"data/by_fruit/{self.day}")

    def run(self, input_path, output_path):
        with open(input_path) as file:
            for fruit, count in csv.reader(file):
                Path(output_path, f"{fruit}.txt").write_text(count)


run_task(SalesByFruit(day=date(2024, 1, 1)), progress=False)
assert SalesByFruit(day=date(2024, 1, 1)).output().files() == ["apple.txt", "pear.txt"]

# %% [markdown]
# ## 3. What a task requires
#
# `input_path` has the shape of `requires()`: a path for one task, a dict of paths for a dict of tasks. The paths
# are copies, so a task cannot damage what it reads. Whatever `run()` puts into `metadata` stands in the sidecar.
# `{self.task_id}` in the path is explained in step 7.


# %%
class Prices(ExternalTask):
    """A file that others put there; it is watched for changes."""

    def output(self):
        return LocalFileTarget("raw/prices.csv")


class Revenue(AtomicTaskWithMetadata):
    day = DateParameter()
    discount = IntParameter(default=0)

    def requires(self):
        return {"sales": Sales(day=self.day), "prices": Prices()}

    def output(self):
        return LocalFileTarget(f"data/revenue/{self.day}-{self.task_id}.txt")

    def run(self, input_path, output_path, metadata):
        with open(input_path["sales"]) as sales, open(input_path["prices"]) as prices:
            counts, price_of = dict(csv.reader(sales)), dict(csv.reader(prices))
        total = sum(int(count) * int(price_of[fruit]) for fruit, count in counts.items())
        metadata["row_count"] = len(counts)
        Path(output_path).write_text(str(total * (100 - self.discount) // 100))


Path("raw").mkdir()
Path("raw/prices.csv").write_text("apple,2\npear,3\n")
revenue = Revenue(day=date(2024, 1, 2))

# %% [markdown]
# ## 4. Planning and running
#
# `plan_task` says what would happen, and why; nothing runs. `run_task` does it, and returns what became of every
# task. Run again, it does nothing: everything is there and right.

# %%
plan = plan_task(revenue)
print(plan)
assert [decision.family for decision in plan.to_run] == ["Sales", "Revenue"]

result = run_task(revenue, progress=False)
assert [decision.family for decision in result.ran] == ["Sales", "Revenue"]
assert Path(result.outputs).read_text() == "21"

again = run_task(revenue, progress=False)
assert again.ran == ()
print(again)


# %% [markdown]
# ## 5. Running again, and forcing
#
# A task runs again when an input's *content* changed, also one that others wrote. Luigi would not notice.


# %%
def families_run(**options):
    return [decision.family for decision in run_task(revenue, progress=False, **options).ran]


Path("raw/prices.csv").write_text("apple,2\npear,4\n")
print(plan_task(revenue))
assert families_run() == ["Revenue"]
assert revenue.output().open().read() == "26"

# %% [markdown]
# Forcing runs what is fresh. It belongs to one call, not to the task.

# %%
assert families_run(force=True) == ["Revenue"]
assert families_run(force_upstream=True) == ["Sales", "Revenue"]
assert families_run(force_upstream_to_task_cls=Sales) == ["Sales", "Revenue"]
assert families_run(force_upstream_to_task=Sales(day=date(2024, 1, 2))) == ["Sales", "Revenue"]
assert families_run() == []

# %% [markdown]
# ## 6. Debugging
#
# A failed build raises `BuildFailed`, which has each failure with its traceback. With `raise_exception=True` your
# own exception comes out as it was raised, so that a debugger stops in your line: in Jupyter `%debug`, in VS Code
# "uncaught exceptions", on a terminal `python -m pdb`.

# %%
from superluigi.errors import BuildFailed


class Broken(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget("data/broken.txt")

    def run(self, output_path):
        Path(output_path).write_text("half of the")
        raise ValueError("no more ink")


try:
    run_task(Broken(), progress=False)
except BuildFailed as failed:
    print(failed.failures[0].traceback)
    assert failed.failures[0].error == "no more ink"
assert not Path("data/broken.txt").exists()

try:
    run_task(Broken(), progress=False, raise_exception=True)
except ValueError as error:
    assert str(error) == "no more ink"

# %% [markdown]
# ## 7. Hashes in paths
#
# `task_id` is 32 hex digits over the family, the parameters and everything upstream. It is the same in every
# process and on every machine, so a path that holds it can always be found again. Another parameter, here or
# upstream, is another path: results never overwrite each other.

# %%
assert len(revenue.task_id) == 32
assert Revenue(day=date(2024, 1, 2), discount=10).task_id != revenue.task_id
assert Revenue(day=date(2024, 1, 2)).output().path == revenue.output().path

# %% [markdown]
# ## 8. Sidecars and metadata
#
# Beside every target stands `<target>.metadata.json`: the task, its parameters, what exactly it read, the code
# that ran, when, where and why; and what `run()` added. Keys that are Super Luigi's own are refused at once.

# %%
document = revenue.output().metadata()
print(Path(revenue.output().metadata_path).read_text())
assert document["row_count"] == 2
assert document["params"] == {"day": "2024-01-02", "discount": "0"}
assert {row["place"]: row["path"] for row in document["inputs"]} == {
    "sales": "data/sales/2024-01-02.csv",
    "prices": "raw/prices.csv",
}

# %% [markdown]
# ## 9. S3, and keeping local copies in sync
#
# An `S3ObjectTarget` needs a bucket and a key. Credentials are boto3's business: environment variables, profiles,
# roles. Another S3 than Amazon's is named by `AWS_ENDPOINT_URL`; here it is moto's server, on this machine.

# %%
import boto3
from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
os.environ |= {
    "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    "AWS_ACCESS_KEY_ID": "tutorial",
    "AWS_SECRET_ACCESS_KEY": "tutorial",
    "AWS_DEFAULT_REGION": "us-east-1",
}
store = boto3.client("s3")
store.create_bucket(Bucket="lake")


class Published(AtomicTaskWithMetadata):
    day = DateParameter()

    def requires(self):
        return Revenue(day=self.day)

    def output(self):
        return S3ObjectTarget("lake", f"revenue/{self.day}.txt")

    def run(self, input_path, output_path):
        Path(output_path).write_text(f"revenue: {Path(input_path).read_text()}")


published = Published(day=date(2024, 1, 2))
run_task(published, progress=False)
keys = [row["Key"] for row in store.list_objects_v2(Bucket="lake")["Contents"]]
assert keys == ["revenue/2024-01-02.txt", "revenue/2024-01-02.txt.metadata.json"]

# %% [markdown]
# A task that reads an object gets a local copy, kept in `.superluigi/cache/` and downloaded again only when the
# object changed. `download()` gives you that copy, `run_task(…, local_output=True)` returns its path.

# %%
result = run_task(published, local_output=True, progress=False)
assert Path(result.outputs).read_text() == "revenue: 26"

store.put_object(Bucket="lake", Key="revenue/2024-01-02.txt", Body=b"revenue: 99")
assert Path(published.output().download()).read_text() == "revenue: 99"

# %% [markdown]
# Somebody overwrote our object. That is reported, never silently undone; forcing makes it again.

# %%
plan = plan_task(published)
print(plan)
assert plan.by_hash[published.task_id].reasons[0].kind == "output_changed"
run_task(published, force=True, progress=False)
assert Path(published.output().download()).read_text() == "revenue: 26"

# %% [markdown]
# ## 10. Asking the catalog
#
# The catalog knows every task, run and target of the project. A reference is a task, a hash or its beginning, a
# path or an S3 URI.

# %%
from superluigi import Catalog

with Catalog() as catalog:
    upstream = catalog.upstream("s3://lake/revenue/2024-01-02.txt")
    print(upstream)
    assert {task.family for task in upstream} == {"Revenue", "Sales", "Prices"}
    assert "Published" in {task.family for task in catalog.downstream("raw/prices.csv")}
    assert catalog.who_made(revenue.output().path).family == "Revenue"
    assert catalog.task(revenue.task_id[:8]).status == "fresh"
    assert catalog.runs(Broken())[0].error == "no more ink"
    print(upstream.to_mermaid())

# %% [markdown]
# ## 11. From here on: put tasks into modules
#
# The tasks above were defined in a script or notebook, in the module `__main__`. They run and are recorded, but
# nobody can import them again, so `load_task` and `superluigi run` cannot make them. In a module they can.

# %%
from superluigi import load_task
from superluigi.errors import TaskNotLoadable

try:
    load_task(revenue.task_id)
except TaskNotLoadable as error:
    print(error)
else:
    assert __name__ != "__main__"

Path("flows.py").write_text("""
from superluigi.parameters import IntParameter
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata


class Squares(AtomicTaskWithMetadata):
    count = IntParameter()

    def output(self):
        return LocalFileTarget(f"data/squares-{self.count}.txt")

    def run(self, output_path):
        with open(output_path, "w") as file:
            file.writelines(f"{n * n}\\n" for n in range(self.count))
""")

sys.path.insert(0, str(project))
from flows import Squares

result = run_task(Squares(count=4), progress=False)
assert load_task(result.outputs) == Squares(count=4)

# %% [markdown]
# From a shell in the project's directory the same is `superluigi run flows.Squares --count 4`, and
# `superluigi lineage data/squares-4.txt` shows where the file came from. The README goes on from here.

# %%
server.stop()
print(f"Done. The project is {project}.")
