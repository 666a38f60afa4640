"""The tree of errors, which says what the receiver should do.

::

    ChassisError
    ├── Transient            wait and do it again
    │   └── StaleTransaction   run the whole transaction again, from its locks
    ├── Poison               park the record: it will fail the next time too
    ├── Refused              tell the caller, with a code; nothing was done
    │   ├── Invalid              validation
    │   ├── KeyReused            key-reused
    │   ├── InFlight             in-flight
    │   ├── Conflict             conflict
    │   ├── NotFound             not-found
    │   ├── TooLarge             too-large
    │   ├── Unauthorized         unauthorized
    │   ├── Forbidden            forbidden
    │   ├── PreconditionFailed   precondition-failed
    │   ├── Overloaded           overloaded    (also Transient)
    │   └── Unavailable          unavailable   (also Transient)
    └── Misconfigured        stop the process and say what to change

Whatever is not in the tree is a fault of the program: crash.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class ChassisError(Exception):
    """The root; never raised itself."""


class Transient(ChassisError):
    """What failed may succeed later: back off and do it again."""


class StaleTransaction(Transient):
    """A stream was written by a younger transaction: roll back and run this one again from its locks."""


class Poison(ChassisError):
    """A record that cannot be handled however often it is tried."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Misconfigured(ChassisError):
    """The deployment contradicts itself; the text says what is wrong and what to change."""


class Refused(ChassisError):
    """An order that is not carried out; ``code`` is the last part of the problem's type.

    ``extra`` holds further members of the problem object.
    """

    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra: dict[str, Any] = dict(extra or {})


class Invalid(Refused):
    """The body or a parameter does not hold what it must; ``errors`` are ``{"field", "reason"}`` each."""

    code = "validation"
    title = "The request is not valid"

    def __init__(
        self, errors: Sequence[Mapping[str, str]], detail: str = "Correct the named fields and send it again."
    ) -> None:
        super().__init__(detail, {"errors": [dict(error) for error in errors]})
        self.errors = [dict(error) for error in errors]


class KeyReused(Refused):
    """The idempotency key stands for another body."""

    code = "key-reused"
    title = "The idempotency key was used for another body"


class InFlight(Refused):
    """The same idempotency key is being worked on at this moment."""

    code = "in-flight"
    title = "The same key is being worked on"


class Conflict(Refused):
    """Not possible in the present state; ``holder`` is whom it is offered to or who holds it, else None."""

    code = "conflict"
    title = "Not possible in the present state"

    def __init__(self, detail: str, *, state: str | None, holder: str | None) -> None:
        super().__init__(detail, {"state": state, "holder": holder})
        self.state = state
        self.holder = holder


class NotFound(Refused):
    """There is no such thing."""

    code = "not-found"
    title = "Not found"


class TooLarge(Refused):
    """More bytes than are taken."""

    code = "too-large"
    title = "Too large"


class Unauthorized(Refused):
    """No token, or one that is not known."""

    code = "unauthorized"
    title = "A valid token is required"


class Forbidden(Refused):
    """The token's scopes do not allow this."""

    code = "forbidden"
    title = "The token does not allow this"


class PreconditionFailed(Refused):
    """The thing is no longer what the caller believes it to be."""

    code = "precondition-failed"
    title = "It has changed since it was read"


class Overloaded(Refused, Transient):
    """Too much waits already: nothing was done, and the key is not remembered. ``retry_after_s`` in seconds."""

    code = "overloaded"
    title = "Too much is waiting"

    def __init__(self, detail: str = "Nothing was done; send it again later.", *, retry_after_s: int = 1) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class Unavailable(Refused, Transient):
    """Something needed does not answer; whether the work was done may be unknown. ``retry_after_s`` in seconds."""

    code = "unavailable"
    title = "Not available at the moment"

    def __init__(self, detail: str, *, retry_after_s: int = 1) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
