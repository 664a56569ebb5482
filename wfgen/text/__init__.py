"""Text formats: YAML with positions, scalars and quoting, edits that leave the other lines as they
are, and the header of a generated file. Knows nothing of specs or pipelines.
"""
