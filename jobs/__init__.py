"""The clock: one file per scheduled job."""
