"""The terminal UI, which reads the catalog and starts builds as child processes of the command line."""
