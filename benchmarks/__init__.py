"""How fast the house is, against what the machine itself costs: `make bench`."""
