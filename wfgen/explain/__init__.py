"""Which line of a template and which field of a spec made a generated line."""
