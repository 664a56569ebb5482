"""Tests of the release program's cluster side."""
