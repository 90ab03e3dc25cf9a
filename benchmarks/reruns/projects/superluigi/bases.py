"""What several tasks have in common."""

from superluigi.tasks import AtomicTaskWithMetadata


class Cleaning(AtomicTaskWithMetadata):
    def title(self):
        return "cleaned"
