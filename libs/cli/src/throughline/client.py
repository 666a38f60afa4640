"""HTTP to the services: tokens, problems turned into Trouble, and patience with a busy service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import stamina

from throughline.stack import Stack
from throughline.trouble import Trouble, Unreachable

TIMEOUT_S = 60.0
BUSY = (429, 503)
LEAST_WAIT_S = 0.1


class Busy(Exception):
    """The service answered 429 or 503; `wait_s` is its Retry-After."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(f"{response.status_code} from {response.url}")
        self.wait_s = _retry_after(response)


def again(error: Exception) -> bool | float:
    """Stamina's hook: busy services are asked again when they said, lost connections after its own pause.

    Only for calls that may be repeated: reads, imports and posts with an Idempotency-Key.
    """
    if isinstance(error, Busy):
        return error.wait_s
    return isinstance(error, httpx.TransportError)


class Client:
    """The services of one stack. Every call may be repeated safely, so each is retried for `patience_s` seconds."""

    def __init__(self, stack: Stack, *, patience_s: float = 30.0, transport: httpx.BaseTransport | None = None) -> None:
        self.stack = stack
        self.patience_s = patience_s
        self._http = httpx.Client(headers=headers(stack), timeout=TIMEOUT_S, transport=transport)

    def get(self, service: str, path: str, **query: Any) -> Any:
        """The JSON answer; parameters that are None are left out."""
        return self.answer(service, "GET", path, params=_given(query)).json()

    def text(self, service: str, path: str, **query: Any) -> str:
        """The answer as it stands."""
        return self.answer(service, "GET", path, params=_given(query)).text

    def post(self, service: str, path: str, body: Mapping[str, Any], *, key: str) -> Any:
        """Posts under an Idempotency-Key, which makes the repetition safe; the JSON answer."""
        return self.answer(service, "POST", path, json=body, headers={"Idempotency-Key": key}).json()

    def answer(self, service: str, method: str, path: str, **more: Any) -> httpx.Response:
        """A 2xx answer. Raises Trouble for a refusal, Unreachable where there is none within the patience."""
        url = self.stack.url(service) + path
        try:
            for attempt in stamina.retry_context(on=again, attempts=None, timeout=self.patience_s, wait_max=2):
                with attempt:
                    return accepted(self._http.request(method, url, **more))
        except (httpx.TransportError, Busy) as error:
            raise unreachable(service, url, error) from error
        raise AssertionError("a retry context ends by a return or an error")

    def probe(self, service: str, path: str) -> httpx.Response | None:
        """One try, any status; None where nobody answers. For questions about health."""
        try:
            return self._http.get(self.stack.url(service) + path, timeout=5)
        except httpx.TransportError:
            return None

    def items(self, service: str, path: str, told: Callable[[int], None] | None = None, **query: Any) -> list[Any]:
        """All items of a list, page after page, until the cursor is null or, on the log, stands still at its end."""
        found: list[Any] = []
        cursor = None
        while True:
            page = self.get(service, path, cursor=cursor, **query)
            found += page["items"]
            if told:
                told(len(found))
            if page["next_cursor"] in (None, cursor):
                return found
            cursor = page["next_cursor"]


def headers(stack: Stack) -> dict[str, str]:
    """What every call carries."""
    return {"Authorization": f"Bearer {stack.token}"} if stack.token else {}


def accepted(response: httpx.Response) -> httpx.Response:
    """The response if it is 2xx; raises Busy for what passes by itself, Trouble for the rest."""
    if response.is_success:
        return response
    if response.status_code in BUSY:
        raise Busy(response)
    raise refusal(response)


def refusal(response: httpx.Response) -> Trouble:
    """A problem document in words: title, detail and the fields that are wrong."""
    problem = _problem(response)
    what = f"{response.status_code} {problem.get('title') or response.reason_phrase}: {response.request.url.path}"
    fields = [f"{each.get('field')}: {each.get('reason')}" for each in problem.get("errors") or []]
    remedy = str(problem.get("detail") or "")
    if response.status_code == httpx.codes.UNAUTHORIZED:
        remedy = "give the token in THROUGHLINE_TOKEN, or --stack FILE that holds it"
    return Trouble(what, "\n".join([remedy, *fields]).strip())


def unreachable(service: str, url: str, error: Exception) -> Unreachable:
    """No answer, in words."""
    why = "too busy" if isinstance(error, Busy) else "no answer"
    return Unreachable(f"{service}: {why} from {url} ({error})", "is it running? `throughline status` says; `make up`")


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _retry_after(response: httpx.Response) -> float:
    text = response.headers.get("Retry-After", "1")
    return max(LEAST_WAIT_S, float(text)) if text.isdecimal() else 1.0
