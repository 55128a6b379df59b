"""Jira, over the jira library."""
