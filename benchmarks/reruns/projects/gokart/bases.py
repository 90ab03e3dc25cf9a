"""What several tasks have in common."""

import gokart


class Cleaning(gokart.TaskOnKart):
    def title(self):
        return "cleaned"
