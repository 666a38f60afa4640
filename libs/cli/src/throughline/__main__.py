"""`python -m throughline` is the `throughline` command."""

from throughline.app import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
