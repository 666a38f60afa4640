"""What was read ahead of a batch that fails is read again behind it, also where a log's holes would hide that."""

import pytest

from chassis.consumer import Record
from chassis.database import Database
from chassis.errors import Transient
from chassis.settings import ServiceSettings
from tests.integration.chassis.ledger import Ledger, assert_once_and_in_order, consuming, effects
from tests.integration.chassis.writing import send_many
from tests.support.until import until

MOST = 400


class _Failing:
    """The second batch fails, and the fourth."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, records: list[Record]) -> None:
        self.sizes.append(len(records))
        if len(self.sizes) in (2, 4):
            raise Transient("not now")


@pytest.mark.parametrize("topic", ["contacts", "keys"])
async def test_nothing_behind_a_batch_that_failed_is_passed_over(
    settings: ServiceSettings, db: Database, topic: str
) -> None:
    await send_many(settings, 3_000, topic=topic)
    ledger = Ledger()
    ledger.before = failing = _Failing()
    async with consuming(settings, db, ledger, (topic,), most=MOST):
        await until(lambda: ledger.committed >= 3_000, 20)
    assert_once_and_in_order(await effects(settings.dsn), 3_000)
    assert failing.sizes[:2] == [MOST, MOST]
