"""A second look at the log, on a connection of its own: topic ids, ends, and records that aiokafka cannot read."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from aiokafka import errors
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.structs import TopicPartition

from chassis import kafka
from chassis.records import Record, parse
from chassis.settings import ServiceSettings
from chassis.topic_ids import NO_ID, TopicIdsRequest

Partition = tuple[str, int]

_ANSWER_S: Final = 3.0
_LATEST: Final = -1
_EARLIEST: Final = -2


class LogView:
    """Asks a broker directly. A call has a deadline and raises `kafka.NoAnswer`; the next makes the connection anew."""

    def __init__(self, settings: ServiceSettings, topics: Sequence[str]) -> None:
        """`topics` are logical names, the only ones that will be asked about."""
        self._settings = settings
        self._topics = list(topics)
        self._client: AIOKafkaClient | None = None
        self._connecting = asyncio.Lock()

    async def topic_ids(self) -> dict[str, UUID]:
        """Kafka's ids of the topics that exist. A topic made anew has another id, whatever its name."""
        names = [kafka.physical(self._settings, topic) for topic in self._topics]
        answer = await self._asked(self._metadata(names), "topic ids")
        found = {}
        for code, name, topic_id, *_ in answer.topics:
            if errors.for_code(code) is errors.NoError and topic_id != NO_ID:
                found[kafka.logical(self._settings, name)] = topic_id
        return found

    async def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The offset after the last record of each partition."""
        found: dict[Partition, int] = await self._asked(self._offsets(list(partitions), _LATEST), "log ends")
        return found

    async def beginnings(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The offset of the first record that is still there, of each partition."""
        found: dict[Partition, int] = await self._asked(self._offsets(list(partitions), _EARLIEST), "log beginnings")
        return found

    async def read(self, partition: Partition, offset: int, most_bytes: int) -> tuple[list[Record], int]:
        """Whole batches of records from `offset` on and the offset behind them; nothing at the log's end.

        Raises records.Unparsable where the log is damaged.
        """
        return parse(*partition, await self.raw(partition, offset, most_bytes), offset)

    async def raw(self, partition: Partition, offset: int, most_bytes: int) -> bytes:
        """The log's own bytes from the batch with `offset` on, for records.parse_quickly; the last may be cut off."""
        found: bytes = await self._asked(self._fetch(partition, offset, most_bytes), "a fetch")
        return found

    async def close(self) -> None:
        """Ends the connection, within two seconds."""
        client, self._client = self._client, None
        if client is not None:
            await kafka.ended(client.close())

    async def _asked(self, question: Any, what: str) -> Any:
        try:
            return await kafka.deadline(question, _ANSWER_S, what)
        except kafka.NoAnswer:
            await self.close()
            raise

    async def _connected(self) -> AIOKafkaClient:
        async with self._connecting:
            return self._client or await self._connect()

    async def _connect(self) -> AIOKafkaClient:
        client = AIOKafkaClient(
            bootstrap_servers=self._settings.kafka_bootstrap_servers,
            client_id=f"{self._settings.replica}-view",
            request_timeout_ms=int(_ANSWER_S * 1_000),
        )
        try:
            await client.bootstrap()
            await client.set_topics([kafka.physical(self._settings, topic) for topic in self._topics])
        # A client that is half connected is nobody's yet: also a caller who is cancelled here must not leave it open.
        except BaseException:
            await kafka.ended(client.close())
            raise
        self._client = client
        return client

    async def _metadata(self, names: list[str]) -> Any:
        client = await self._connected()
        return await client.send(client.get_random_node(), TopicIdsRequest(names))

    async def _offsets(self, partitions: list[Partition], which: int) -> dict[Partition, int]:
        client = await self._connected()
        found: dict[Partition, int] = {}
        for node, wanted in (await self._by_leader(client, partitions)).items():
            asked = [(topic, [(number, which) for number in numbers]) for topic, numbers in wanted.items()]
            answer = await client.send(node, OffsetRequest(-1, 0, asked))
            for name, rows in answer.topics:
                for number, code, _, offset in rows:
                    _raise_for(code)
                    found[kafka.logical(self._settings, name), number] = offset
        return found

    async def _fetch(self, partition: Partition, offset: int, most_bytes: int) -> bytes:
        client = await self._connected()
        ((node, wanted),) = (await self._by_leader(client, [partition])).items()
        asked = [(topic, [(number, offset, most_bytes) for number in numbers]) for topic, numbers in wanted.items()]
        answer = await client.send(node, FetchRequest(0, 0, most_bytes, 0, asked, rack_id=""))
        ((_, ((_, code, *rest),)),) = answer.topics
        _raise_for(code)
        return bytes(rest[-1] or b"")

    async def _by_leader(self, client: AIOKafkaClient, partitions: list[Partition]) -> dict[int, dict[str, list[int]]]:
        leaders: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for topic, number in partitions:
            name = kafka.physical(self._settings, topic)
            leader = client.cluster.leader_for_partition(TopicPartition(name, number))
            if leader is None or leader < 0:
                await client.force_metadata_update()
                raise errors.LeaderNotAvailableError(f"{topic}/{number}")
            leaders[leader][name].append(number)
        return leaders


def _raise_for(code: int) -> None:
    found = errors.for_code(code)
    if found is not errors.NoError:
        raise found()
