"""Stand-ins for the services we talk to, served over real HTTP."""
