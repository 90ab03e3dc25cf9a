"""The terminal UI, which reads the catalog and starts builds as child processes.

Nothing of it is here yet: `superluigi tui` appears when it is. Until then `superluigi tasks`, `show` and
`lineage` show the same on the command line.
"""
