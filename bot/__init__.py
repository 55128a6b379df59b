"""Everything that faces the world."""
