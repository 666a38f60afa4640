"""`python -m deploy.checks`: says of each part of the deployment whether it is well; ends with 1 where one is not."""

from __future__ import annotations

import sys

from deploy.checks.files import problems
from deploy.checks.tools import Tools, told


def main() -> None:
    tools = Tools()
    found = problems(tools)
    for name, complaints in found.items():
        print(f"  {name:<30} {'wrong' if complaints else 'well'}")
        for complaint in complaints:
            print("    " + complaint.replace("\n", "\n    "))
    missing = tools.missing()
    if missing:
        sys.exit(f"check-deploy: {told(missing)}")
    if any(found.values()):
        sys.exit("check-deploy: something is wrong; it stands above")


if __name__ == "__main__":
    main()
