"""The units that both directions share."""

SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
