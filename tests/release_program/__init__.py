"""Tests of the release program's commands that use the cluster."""
