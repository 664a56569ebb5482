"""`python -m wfgen`, the same as the `wfgen` command."""

from wfgen_cli import main

main()
