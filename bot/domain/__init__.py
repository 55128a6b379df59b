"""What the bot talks about: pure values, no I/O."""
