"""What executes runs: DBOS over a database, or this process alone."""
