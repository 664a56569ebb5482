"""The evaluator of GitHub's rules, against GitHub's own engine, act and the documentation."""
