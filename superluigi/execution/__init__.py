"""One execution of one task: inputs handed out, `run()` entered, outputs and sidecars published."""
