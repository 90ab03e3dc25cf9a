"""What redun's database answers, timed; run by `benchmarks/catalog.py --redun PYTHON` with a Python that has redun.

    python redun_lineage.py DIRECTORY WIDTH LAYERS

Runs a graph by redun itself, in layers of tasks with three inputs each, and asks the database that this leaves
the questions which `benchmarks/catalog.py` asks of the same graph. Prints JSON: milliseconds of CPU by question.
"""

import json
import sys
import time
from pathlib import Path

from redun import Scheduler, task
from redun.backends.db import Argument, CallNode, Job, RedunBackendDb
from redun.backends.db.dataflow import get_dataflow_call_node, walk_dataflow


@task(namespace="bench", version="1")
def step(number: int, inputs: list) -> str:
    """A task of the graph."""
    return f"{number} of {len(inputs)}"


@task(namespace="bench", version="1")
def top(inputs: list) -> int:
    """What was asked for."""
    return len(inputs)


@task(namespace="bench", version="1")
def main_task(width: int, layers: int) -> int:
    """Calls all others: as the result of a call, and not as its argument, their expressions are not stored."""
    below = [step(number, []) for number in range(width)]
    for layer in range(1, layers):
        below = [
            step(layer * width + place, [below[(place + offset) % width] for offset in (0, 1, 7)])
            for place in range(width)
        ]
    return top(below)


def best(work, times=5):
    """The shortest of several times, in milliseconds of CPU."""
    found = []
    for _ in range(times):
        start = time.process_time()
        work()
        found.append((time.process_time() - start) * 1000)
    return min(found)


def main(directory: str, width: int, layers: int) -> None:
    """Run, ask, print."""
    path = Path(directory, "redun.db")
    backend = RedunBackendDb(db_uri=f"sqlite:///{path}")
    backend.load(migrate=True)
    Scheduler(backend=backend).run(main_task(width, layers))
    session = backend.session
    (root,) = session.query(CallNode).filter(CallNode.task_name == "bench.top")
    middle = (
        session.query(CallNode).filter(CallNode.task_name == "bench.step").offset(width).first()
    )
    root_hash, call_hash, value_hash = root.call_hash, middle.call_hash, middle.value_hash

    def fresh(question):
        def asked():
            session.expunge_all()  # as a process that has just begun
            return question()

        return asked

    def upstream() -> set:
        edges = walk_dataflow(backend, session.get(CallNode, root_hash))
        nodes = (get_dataflow_call_node(each) for edge in edges for each in edge)
        return {(node.call_hash, node.task_name) for node in nodes if node is not None}

    def makers() -> list:
        found = session.query(CallNode).filter(CallNode.value_hash == value_hash)
        return [(node.task_name, [job.start_time for job in node.jobs]) for node in found]

    def readers() -> list:
        query = session.query(CallNode).join(Argument, Argument.call_hash == CallNode.call_hash)
        return [node.task_name for node in query.filter(Argument.value_hash == value_hash)]

    def newest() -> list:
        jobs = session.query(Job).order_by(Job.start_time.desc()).limit(50)
        return [(job.status, job.start_time, job.task.name) for job in jobs]

    count = len(upstream()) - 1
    questions = {
        "one task by hash": lambda: session.get(CallNode, call_hash).task_name,
        "one task by the beginning of its hash": lambda: (
            session.query(CallNode)
            .filter(CallNode.call_hash.like(f"{call_hash[:12]}%"))
            .one()
            .task_name
        ),
        "everything upstream of the last task": upstream,
        "who made a content": makers,
        "who read a content": readers,
        "the newest 50 runs": newest,
    }
    times = {name: best(fresh(question)) for name, question in questions.items()}
    print(json.dumps({"tasks": count, "bytes": path.stat().st_size, "ms": times}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
