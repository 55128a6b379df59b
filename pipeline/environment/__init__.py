"""What the repository needs to run its tests."""

from pipeline.environment.environment import Environment, find_environment

__all__ = ["Environment", "find_environment"]
