"""The four roles."""
