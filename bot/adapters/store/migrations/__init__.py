"""The history of the tables, oldest first; `upgrade` runs what is missing."""
