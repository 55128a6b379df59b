"""GitHub, over PyGithub."""
