"""`python -m livemarket` is the command line."""

from livemarket.cli import main

main()
