"""gokart. The setting `fast` leaves out the files that it keeps about each task."""

import logging

import gokart
import luigi
import shapes
from asked import ASKED, write
from classes import root_and_all

luigi.configuration.get_config().set("TaskOnKart", "workspace_directory", ".")


class Node(gokart.TaskOnKart):
    if ASKED.setting == "fast":
        should_dump_supplementary_log_files = False

    def output(self):
        return self.make_target(shapes.path_of(self.name()), use_unique_id=False)

    def run(self):
        write(shapes.path_of(self.name()), self.name())


if __name__ == "__main__":
    root, _ = root_and_all(Node)
    gokart.build(root, return_value=False, log_level=logging.ERROR)
