"""`python -m steward` is the command line."""

from steward.cli.main import main

if __name__ == "__main__":
    main()
