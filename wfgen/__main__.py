"""`python -m wfgen`, the same as the `wfgen` command."""

from wfgen.cli.app import main

main()
