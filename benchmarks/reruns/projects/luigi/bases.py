"""What several tasks have in common."""

import luigi


class Cleaning(luigi.Task):
    def title(self):
        return "cleaned"
