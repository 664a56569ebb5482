"""Every output. `text`, `json`, `github` and `sarif` each turn findings, drift and proofs into one
format; `listing`, `history` and `reference` are about specs, releases and the vocabulary.
"""
