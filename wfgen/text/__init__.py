"""Text formats: reading YAML with and without positions, scalars, quoting, edits that keep all
other lines byte for byte, and the header of a generated file. Knows nothing of specs or pipelines.
"""
