"""The running of passes: given who wakes them and what comes of each, then these queues are gone over."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest

from chassis.errors import Unavailable
from router.app.passes import Passed, Passes
from tests.support.until import until

NEVER_S = 3_600.0


class Store:
    """Gives what it was told to give, and notes what is asked of it."""

    def __init__(self) -> None:
        self.gone_over: list[str] = []
        self.outcomes: defaultdict[str, deque[Passed | Unavailable]] = defaultdict(deque)
        self.waiting: list[str] = []
        self.gate = asyncio.Event()
        self.at_work: Counter[str] = Counter()
        self.most_at_once = 0
        self.given_back = 0
        self.gate.set()

    async def go_over(self, queue: str) -> Passed:
        self.gone_over.append(queue)
        self.at_work[queue] += 1
        assert self.at_work[queue] == 1, f"two passes over {queue} at once"
        self.most_at_once = max(self.most_at_once, self.at_work.total())
        await self.gate.wait()
        self.at_work[queue] -= 1
        outcome = self.outcomes[queue].popleft() if self.outcomes[queue] else Passed()
        if isinstance(outcome, Unavailable):
            raise outcome
        return outcome

    async def stirring(self) -> Iterable[str]:
        return self.waiting

    async def give_back(self) -> None:
        self.given_back += 1


@pytest.fixture
def store() -> Store:
    return Store()


@asynccontextmanager
async def running(passes: Passes) -> AsyncIterator[Passes]:
    task = asyncio.create_task(passes.run())
    try:
        yield passes
    finally:
        passes.stop()
        await asyncio.wait_for(task, 5)


async def test_a_queue_that_is_woken_is_gone_over(store: Store) -> None:
    async with running(Passes(store, net_s=NEVER_S)) as passes:
        passes.wake("cards")
        await until(lambda: store.gone_over == ["cards"])


async def test_at_the_start_and_at_intervals_every_queue_in_which_somebody_waits_is_gone_over(store: Store) -> None:
    store.waiting = ["cards", "loans"]
    async with running(Passes(store, net_s=0.01)):
        await until(lambda: min(Counter(store.gone_over)[queue] for queue in store.waiting) >= 2)


async def test_everything_is_looked_at_again_where_signals_may_have_been_lost(store: Store) -> None:
    async with running(Passes(store, net_s=NEVER_S)) as passes:
        await until(lambda: not store.gone_over)
        store.waiting = ["cards"]
        passes.wake("")
        await until(lambda: store.gone_over == ["cards"])


async def test_a_wake_up_during_a_pass_makes_it_go_over_the_queue_once_more_and_not_at_once(store: Store) -> None:
    store.gate.clear()
    async with running(Passes(store, net_s=NEVER_S)) as passes:
        passes.wake("cards")
        await until(lambda: store.gone_over == ["cards"])
        for _ in range(5):
            passes.wake("cards")
        store.gate.set()
        await until(lambda: store.gone_over == ["cards", "cards"])


async def test_several_queues_are_gone_over_at_once_but_no_more_than_it_may(store: Store) -> None:
    store.gate.clear()
    async with running(Passes(store, at_once=2, net_s=NEVER_S)) as passes:
        for queue in ("a", "b", "c"):
            passes.wake(queue)
        await until(lambda: len(store.gone_over) == 2)
        store.gate.set()
        await until(lambda: len(store.gone_over) == 3)
    assert store.most_at_once == 2


async def test_a_pass_that_has_more_to_do_is_followed_by_another(store: Store) -> None:
    store.outcomes["cards"].extend([Passed(200, 0.0), Passed(200, 0.01), Passed(3)])
    async with running(Passes(store, net_s=NEVER_S)) as passes:
        passes.wake("cards")
        await until(lambda: len(store.gone_over) == 3)


async def test_a_queue_that_another_replica_holds_is_left_alone_until_its_lease_may_have_ended(store: Store) -> None:
    store.outcomes["cards"].append(Passed(again_s=0.3, elsewhere=True))
    async with running(Passes(store, net_s=NEVER_S)) as passes:
        passes.wake("cards")
        await until(lambda: store.gone_over == ["cards"])
        passes.wake("other")
        passes.wake("cards")
        await until(lambda: store.gone_over[1:2] == ["other"])
        assert store.gone_over.count("cards") == 1
        await until(lambda: store.gone_over.count("cards") == 2)


async def test_without_the_database_a_pass_is_put_off_and_the_others_go_on(store: Store) -> None:
    store.outcomes["cards"].append(Unavailable("away"))
    async with running(Passes(store, net_s=NEVER_S)) as passes:
        passes.wake("cards")
        passes.wake("loans")
        await until(lambda: sorted(store.gone_over) == ["cards", "cards", "loans"])


async def test_what_comes_of_each_pass_is_told(store: Store) -> None:
    heard = list[int]()
    store.outcomes["cards"].append(Passed(7))
    async with running(Passes(store, lambda passed, _: heard.append(passed.offers), net_s=NEVER_S)) as passes:
        passes.wake("cards")
        await until(lambda: heard == [7])


async def test_at_the_stop_pass_at_hand_is_finished_and_the_queues_are_given_back(store: Store) -> None:
    store.gate.clear()
    async with running(Passes(store, net_s=NEVER_S)) as passes:
        passes.wake("cards")
        await until(lambda: store.gone_over == ["cards"])
        passes.stop()
        store.gate.set()
    assert (store.at_work.total(), store.given_back) == (0, 1)
