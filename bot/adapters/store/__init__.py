"""Where deliveries, runs, journal, log and effects are kept: SQLAlchemy, and a twin in memory."""
