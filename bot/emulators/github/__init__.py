"""A GitHub on loopback: stateful, with rights, webhooks, git over HTTP, and faults on demand."""

from bot.emulators.github.emulator import GitHubEmulator
from bot.emulators.github.world import NotThere, Problem

__all__ = ["GitHubEmulator", "NotThere", "Problem"]
