"""The operator's door: the `cvl` command, one file per command group."""
