"""Files that are copied beside the target's interpreter and run there, never imported here."""
