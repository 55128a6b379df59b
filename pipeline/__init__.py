"""The loop that turns a task into a proven patch."""
