"""Stores in memory, as real as the contract suite makes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import TypeVar

from chassis.commands import Use
from chassis.errors import KeyReused
from chassis.store import Appended
from escalation.app.ports import Kept, RuleUnit, Seal, Unit
from escalation.domain.request import Change, Request, Statement
from escalation.domain.rules import Content, Kind, Rule, Rules

T = TypeVar("T")
NOTHING = Appended({}, {}, frozenset())


class Keys:
    """First answers by their keys."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], tuple[bytes, bytes]] = {}

    async def once(self, use: Use | None, work: Callable[[], Awaitable[bytes]]) -> bytes:
        if use is None:
            return await work()
        if (first := self._first.get((use.scope, use.key))) is not None:
            if first[0] != use.hash:
                raise KeyReused("another body")
            return first[1]
        answer = await work()
        self._first[use.scope, use.key] = use.hash, answer
        return answer


class MemoryStore:
    """`ports.Store`; `told` hears what each unit has written, `stated` keeps what was said of whom."""

    def __init__(self, rules: Rules | None = None, told: Callable[[Kept], None] = lambda _: None) -> None:
        self.rules = rules or Rules()
        self.requests: dict[str, Request] = {}
        self.stated: list[tuple[str, Statement, Seal | None]] = []
        self.told = told
        self._keys = Keys()

    async def find(self, request_id: str) -> Request | None:
        return self.requests.get(request_id)

    async def moments(self, partition: int) -> Mapping[str, int]:
        ours = (request for request in self.requests.values() if request.partition == partition)
        return {request.request_id: at_us for request in ours if (at_us := request.next_us) is not None}

    async def change(self, request_ids: Iterable[str], work: Callable[[Unit], Awaitable[T]]) -> T:
        unit = MemoryUnit(self, set(request_ids))
        answer = await work(unit)
        unit.write()
        return answer

    async def once(self, request_id: str, use: Use | None, work: Callable[[Unit], Awaitable[bytes]]) -> bytes:
        return await self._keys.once(use, lambda: self.change([request_id], work))

    def types(self, request_id: str) -> list[str]:
        """What was stated of a request, in its order."""
        return [type(statement.fact).__name__ for whom, statement, _ in self.stated if whom == request_id]


class MemoryUnit:
    """`ports.Unit`."""

    def __init__(self, store: MemoryStore, request_ids: set[str]) -> None:
        self._store = store
        self._wanted = request_ids
        self._changed: dict[str, Request] = {}
        self._said: list[tuple[str, Statement, Seal | None]] = []

    async def request(self, request_id: str) -> Request | None:
        if request_id not in self._wanted:
            return None
        return self._changed.get(request_id) or self._store.requests.get(request_id)

    async def rules(self) -> Rules:
        return self._store.rules

    def keep(self, change: Change, seal: Seal | None = None) -> None:
        self._changed[change.request.request_id] = change.request
        self._said += ((change.request.request_id, statement, seal) for statement in change.statements)

    def write(self) -> None:
        for request_id, statement, _ in self._said:
            request = self._changed[request_id]
            last_us = max(request.last_us, statement.floor_us)
            self._changed[request_id] = replace(request, version=request.version + 1, last_us=last_us)
        self._store.requests |= self._changed
        self._store.stated += self._said
        moments = {(r.partition, r.request_id): r.next_us for r in self._changed.values()}
        self._store.told(Kept(moments, NOTHING))


class MemoryRuleStore:
    """`ports.RuleStore`; each version holds from a microsecond after the one before it."""

    def __init__(self) -> None:
        self._rules = Rules()
        self._now_us = 1_000_000
        self._keys = Keys()

    async def rules(self) -> Rules:
        return self._rules

    async def once(self, name: str, use: Use | None, work: Callable[[RuleUnit], Awaitable[bytes]]) -> bytes:
        async def once() -> bytes:
            unit = MemoryRuleUnit(self._rules)
            answer = await work(unit)
            for kind, content in unit.made:
                self._now_us += 1
                self._rules.add(Rule(kind, content, self._now_us))
            return answer

        return await self._keys.once(use, once)


class MemoryRuleUnit:
    """`ports.RuleUnit`."""

    def __init__(self, rules: Rules) -> None:
        self._rules = deepcopy(rules)
        self.made: list[tuple[Kind, Content]] = []

    async def rules(self) -> Rules:
        return self._rules

    def keep(self, kind: Kind, content: Content) -> None:
        self.made.append((kind, content))
