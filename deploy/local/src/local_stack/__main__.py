"""`python -m local_stack`: what the Makefile calls."""

from local_stack.cli import app

if __name__ == "__main__":
    app()
