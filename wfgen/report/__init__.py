"""Every output: findings, drift and proofs as text, JSON, SARIF and GitHub annotations; pages."""
