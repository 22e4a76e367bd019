"""The door out: checks, reports and the workbook."""
