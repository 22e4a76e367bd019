"""The door out: checks, disclosure, payments, bank statements, reports, the audit bundle and backups."""
