"""What a build would do, and why: the graph observed in bulk, compared with the records, decided."""

from superluigi.planning.decision import Decision, Reason
from superluigi.planning.plan import Plan

__all__ = ["Decision", "Plan", "Reason"]
