"""What the repository needs to run its tests."""
