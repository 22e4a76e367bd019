"""The door in: receive, stage, check, accept, return file; one file per format in formats/."""
