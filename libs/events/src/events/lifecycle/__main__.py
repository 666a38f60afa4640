"""`python -m events.lifecycle write|check [PAGE]`: keeps the drawn part of docs/lifecycle.md current."""

import sys
from pathlib import Path

from events.lifecycle.draw import redrawn

USAGE = "usage: python -m events.lifecycle write|check [PAGE]    (PAGE is docs/lifecycle.md unless given)"


def main(arguments: list[str]) -> int:
    """Gives the exit code: 0 done or current, 1 out of date, 2 not understood."""
    match arguments:
        case ["write" | "check" as command, *given] if len(given) < 2:
            page = Path(given[0] if given else "docs/lifecycle.md")
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    was = page.read_text(encoding="utf-8")
    now = redrawn(was)
    if command == "write":
        page.write_text(now, encoding="utf-8")
    elif was != now:
        print(f"{page} is out of date: python -m events.lifecycle write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
