"""Deciding by running."""
