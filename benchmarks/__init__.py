"""What wfgen costs: `make bench`. README.md beside this file says how to read the figures."""
