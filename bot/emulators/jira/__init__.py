"""A Jira on loopback: stateful, Cloud or Data Center, with webhooks, rules and faults."""

from bot.emulators.jira.emulator import JiraEmulator

__all__ = ["JiraEmulator"]
