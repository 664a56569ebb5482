"""How fast wfgen is (`make bench`); README.md explains the figures."""
