"""The tests of wfgen, and the tools that they share."""
