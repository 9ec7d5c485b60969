"""`python -m smallhold`: this file holds the call of the command line."""

from __future__ import annotations

from smallhold.cli.main import main

if __name__ == "__main__":
    main()
