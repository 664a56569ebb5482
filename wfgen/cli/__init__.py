"""The command line: which commands there are, what each reads and prints, and the one place where
errors become exit codes.
"""
