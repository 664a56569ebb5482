"""wfgen: short service specs in, complete and safe GitHub Actions delivery pipelines out."""

__version__ = "0.1.0"
