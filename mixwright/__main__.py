"""`python -m mixwright`."""

from mixwright.cli import main

if __name__ == "__main__":
    main()
