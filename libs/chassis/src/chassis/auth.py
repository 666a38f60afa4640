"""Bearer tokens with scopes: who calls, and what he may do."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from chassis.errors import Forbidden, Unauthorized

ALL: Final = "*"
_SCHEME: Final = b"bearer "
_LONGEST: Final = 4_096


@dataclass(frozen=True, slots=True)
class Principal:
    """The holder of a token. `name` goes into logs; the token itself never does."""

    name: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Does the token's scope list hold `scope`, or `*`?"""
        return ALL in self.scopes or scope in self.scopes

    def must(self, scope: str) -> None:
        """Raise Forbidden, naming the scope, unless the holder may."""
        if not self.may(scope):
            raise Forbidden(f"This needs a token with the scope {scope}.")


class Grant(Protocol):
    """What the settings hold for one token."""

    @property
    def name(self) -> str: ...
    @property
    def scopes(self) -> Iterable[str]: ...


class Tokens:
    """The known tokens, kept as lower-case hex SHA-256 sums alone."""

    def __init__(self, grants: Mapping[str, Grant]) -> None:
        self._principals = {digest: Principal(grant.name, frozenset(grant.scopes)) for digest, grant in grants.items()}

    def principal(self, authorization: bytes | None) -> Principal:
        """Whose `Authorization` header this is; Unauthorized where there is none or it is not known.

        The look-up is by the token's digest, so its timing tells nothing about any token.
        """
        if not authorization:
            raise Unauthorized("Send Authorization: Bearer <token>.")
        if authorization[:7].lower() != _SCHEME or len(authorization) > _LONGEST:
            raise Unauthorized("Only Bearer tokens are taken.")
        principal = self._principals.get(hashlib.sha256(authorization[7:].strip()).hexdigest())
        if principal is None:
            raise Unauthorized("This token is not known here.")
        return principal
