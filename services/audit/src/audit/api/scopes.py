"""What a token must allow."""

from typing import Annotated, Final

from chassis.auth import Principal
from chassis.web import requires

AUDIT_READ: Final = "audit:read"
PERSONAL_READ: Final = "personal:read"
"""Without it the data come without what says something of a person."""

Reader = Annotated[Principal, requires(AUDIT_READ)]
