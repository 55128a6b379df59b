"""Small helpers, usable on their own."""
