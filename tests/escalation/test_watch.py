"""The watch over what comes due: never early, never before the log is known, and once, over any hands."""

from __future__ import annotations

from escalation.app.following import take
from escalation.app.ports import Kept, Unit
from escalation.app.watch import Watch
from escalation.domain.request import Heard
from tests.escalation.given import AGENT, CONTACT, MINUTE, SECOND, at, promise, rules
from tests.escalation.memory import MemoryStore

SETTLE_US = 250_000
RULES = rules(promise(10 * MINUTE, warn_at_percent=None))


class Hand:
    """A time that a test sets; `checks` counts the looks at other clocks."""

    def __init__(self, now_us: int) -> None:
        self.at_us = now_us
        self.checks = 0

    def now_us(self) -> int:
        return self.at_us

    async def check(self) -> None:
        self.checks += 1


class Log:
    """What a consumer says of the log."""

    def __init__(self) -> None:
        self.held = {3}
        self.behind = 0
        self.away = False
        self.asked = 0

    async def positions(self) -> list[tuple[int, int | None, int]]:
        self.asked += 1
        return [(number, None if self.away else 100, 100 - self.behind) for number in (3, 4)]


class Scene:
    """A watch over a store in memory."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore(RULES)
        self.time, self.log = Hand(at(0)), Log()
        self.watch = Watch(
            self.store, self.time, held=lambda: self.log.held, positions=self.log.positions, settle_us=SETTLE_US
        )
        self.store.told = self._told

    async def hears(self, type_: str, minute: float, request_id: str = "r-1", partition: int = 3) -> None:
        data = CONTACT if type_ == "ContactReceived" else AGENT
        event = Heard(f"e-{minute}", type_, request_id, data, at(minute), at(minute))

        async def work(unit: Unit) -> None:
            await take(unit, event, partition)

        await self.store.change([request_id], work)

    async def at(self, minute: float, more_us: int = 0) -> float | None:
        self.time.at_us = at(minute) + more_us
        return await self.watch.work()

    def _told(self, kept: Kept) -> None:
        for (partition, request_id), at_us in kept.moments.items():
            self.watch.put(partition, request_id, at_us)


async def test_a_moment_is_stated_once_it_has_passed_and_settled_and_not_before() -> None:
    scene = Scene()
    await scene.hears("ContactReceived", 0)
    assert await scene.at(9) == 60 + (SETTLE_US + 1) / SECOND
    await scene.at(10)
    await scene.at(10, SETTLE_US)
    assert (scene.store.stated, scene.log.asked) == ([], 0)
    await scene.at(10, SETTLE_US + 1)
    assert scene.store.types("r-1") == ["SlaBreached"]
    assert await scene.at(99) is None
    assert scene.store.types("r-1") == ["SlaBreached"]


async def test_what_was_not_read_yet_holds_the_verdict_back() -> None:
    scene = Scene()
    await scene.hears("ContactReceived", 0)
    scene.log.behind = 1
    assert await scene.at(11) == 0.2
    await scene.hears("Connected", 9)
    assert await scene.at(12) is None
    assert scene.store.types("r-1") == ["SlaMet"]


async def test_without_kafka_no_verdict_is_stated() -> None:
    scene = Scene()
    await scene.hears("ContactReceived", 0)
    scene.log.away = True
    assert await scene.at(20) is None
    assert scene.store.stated == []
    scene.log.away = False
    await scene.at(21)
    assert scene.store.types("r-1") == ["SlaBreached"]


async def test_a_log_that_is_never_read_to_its_end_is_known_up_to_the_look_before() -> None:
    scene = Scene()
    await scene.hears("ContactReceived", 0)
    ends = iter([(50, 49), (60, 55), (70, 65)])

    async def positions() -> list[tuple[int, int | None, int]]:
        end, next_offset = next(ends)
        return [(3, end, next_offset)]

    scene.watch._positions = positions
    await scene.at(11)
    assert scene.store.stated == []
    await scene.at(12)
    assert scene.store.types("r-1") == ["SlaBreached"]


async def test_an_event_may_be_on_its_way_for_as_long_as_it_takes_to_settle() -> None:
    """The log was known up to a moment after the due one, but an event of the time between may have come after that."""
    scene = Scene()
    await scene.hears("ContactReceived", 0, "r-1")
    await scene.hears("ContactReceived", 1 / 300, "r-2")
    ends = iter([(50, 49), (60, 55), (70, 70)])

    async def positions() -> list[tuple[int, int | None, int]]:
        end, next_offset = next(ends)
        return [(3, end, next_offset)]

    scene.watch._positions = positions
    await scene.at(10, SETTLE_US + 1)
    await scene.at(10, SETTLE_US + 200_001)
    assert (scene.store.types("r-1"), scene.store.types("r-2")) == (["SlaBreached"], [])
    await scene.at(10, SETTLE_US + 400_000)
    assert scene.store.types("r-2") == ["SlaBreached"]


async def test_what_is_read_elsewhere_by_now_is_watched_there() -> None:
    scene = Scene()
    await scene.hears("ContactReceived", 0)
    await scene.at(1)
    scene.log.held = {4}
    await scene.at(11)
    assert (scene.store.types("r-1"), scene.watch.figures().watched) == ([], 0)


async def test_only_what_is_read_here_is_watched_here() -> None:
    scene = Scene()
    await scene.hears("ContactReceived", 0, "r-3", 3)
    await scene.hears("ContactReceived", 0, "r-4", 4)
    await scene.at(11)
    assert (scene.store.types("r-3"), scene.store.types("r-4")) == (["SlaBreached"], [])
    scene.log.held = {4}
    await scene.at(12)
    assert scene.store.types("r-4") == ["SlaBreached"]


async def test_what_came_due_while_nobody_watched_is_found_at_the_start() -> None:
    before = Scene()
    await before.hears("ContactReceived", 0)
    after = Scene(before.store)
    await after.at(60)
    assert after.store.types("r-1") == ["SlaBreached"]


async def test_two_that_watch_the_same_state_it_once() -> None:
    one = Scene()
    await one.hears("ContactReceived", 0)
    other = Scene(one.store)
    for scene in (one, other):
        scene.time.at_us = at(9)
        await scene.watch.work()
    for scene in (one, other):
        await scene.at(11)
    assert one.store.types("r-1") == ["SlaBreached"]


async def test_what_is_lost_and_held_again_is_read_anew() -> None:
    scene = Scene()
    await scene.hears("ContactReceived", 0)
    await scene.at(1)
    scene.watch.lost([3])
    await scene.hears("ContactReceived", 1, "r-2")
    await scene.at(30)
    assert (scene.store.types("r-1"), scene.store.types("r-2")) == (["SlaBreached"], ["SlaBreached"])


async def test_a_partition_that_is_behind_holds_up_no_other() -> None:
    scene = Scene()
    scene.log.held = {3, 4}
    for number in range(2_100):
        await scene.hears("ContactReceived", 0, f"r-{number}", 3)
    await scene.hears("ContactReceived", 1, "other", 4)

    async def positions() -> list[tuple[int, int | None, int]]:
        return [(3, 100, 99), (4, 100, 100)]

    scene.watch._positions = positions
    await scene.at(12)
    assert [request_id for request_id, _, _ in scene.store.stated] == ["other"]


async def test_more_than_one_transaction_takes_is_stated_all_the_same() -> None:
    scene = Scene()
    for number in range(2_450):
        await scene.hears("ContactReceived", 0, f"r-{number}")
    await scene.at(11)
    assert len(scene.store.stated) == 2_000
    await scene.at(11)
    assert len(scene.store.stated) == 2_450
    assert scene.watch.figures().overdue == 0


async def test_other_clocks_are_asked_before_a_verdict_and_not_without_one() -> None:
    scene = Scene()
    await scene.hears("ContactReceived", 0)
    await scene.at(9)
    assert scene.time.checks == 0
    await scene.at(11)
    assert scene.time.checks == 1


async def test_the_figures_tell_what_waits_and_for_how_long() -> None:
    scene = Scene()
    await scene.hears("ContactReceived", 0)
    scene.log.behind = 1
    await scene.at(12)
    figures = scene.watch.figures()
    assert (figures.watched, figures.overdue, figures.oldest_us) == (1, 1, 2 * MINUTE)
