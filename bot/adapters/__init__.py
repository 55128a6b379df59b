"""The doors to other people's systems, one room each."""
