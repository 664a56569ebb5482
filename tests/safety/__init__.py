"""simulate and verify: what pipelines do, and the properties that must hold in every run."""
