"""`python -m wfgen`, the same as the `wfgen` command."""

from wfgen.cli import main

main()
