"""The repository: clone, trees, diffs."""
