"""`python -m avow` is the `avow` command."""

from avow.cli import main

if __name__ == "__main__":
    main()
