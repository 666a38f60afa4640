"""A second look at the log, on a connection of its own: topic ids, ends, and records that aiokafka cannot read."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from aiokafka import errors
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields
from aiokafka.structs import TopicPartition

from chassis import kafka
from chassis.records import Record, parse
from chassis.settings import ServiceSettings

Partition = tuple[str, int]

_ANSWER_S: Final = 3.0
_LATEST: Final = -1
_EARLIEST: Final = -2
_NO_ID: Final = UUID(int=0)


class LogView:
    """Asks a broker directly. Every call has a deadline and raises `kafka.NoAnswer`; the connection is then made anew."""

    def __init__(self, settings: ServiceSettings, topics: Sequence[str]) -> None:
        """`topics` are logical names, the only ones that will be asked about."""
        self._settings = settings
        self._topics = list(topics)
        self._client: AIOKafkaClient | None = None

    async def topic_ids(self) -> dict[str, UUID]:
        """Kafka's ids of the topics that exist. A topic made anew has another id, whatever its name."""
        names = [kafka.physical(self._settings, topic) for topic in self._topics]
        answer = await self._asked(self._metadata(names), "topic ids")
        found = {}
        for code, name, topic_id, *_ in answer.topics:
            if errors.for_code(code) is errors.NoError and topic_id != _NO_ID:
                found[kafka.logical(self._settings, name)] = topic_id
        return found

    async def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The offset after the last record of each partition."""
        return await self._asked(self._offsets(list(partitions), _LATEST), "log ends")

    async def beginnings(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The offset of the first record that is still there, of each partition."""
        return await self._asked(self._offsets(list(partitions), _EARLIEST), "log beginnings")

    async def read(self, partition: Partition, offset: int, most_bytes: int) -> tuple[list[Record], int]:
        """Whole batches of records from `offset` on and the offset behind them; nothing at the log's end.

        Raises records.Unparsable where the log is damaged.
        """
        raw = await self._asked(self._fetch(partition, offset, most_bytes), "a fetch")
        return parse(*partition, raw, offset)

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
        if self._client is None:
            client = AIOKafkaClient(
                bootstrap_servers=self._settings.kafka_bootstrap_servers,
                client_id=f"{self._settings.replica}-view",
                request_timeout_ms=int(_ANSWER_S * 1_000),
            )
            self._client = client
            await client.bootstrap()
            await client.set_topics([kafka.physical(self._settings, topic) for topic in self._topics])
        return self._client

    async def _metadata(self, names: list[str]) -> Any:
        client = await self._connected()
        return await client.send(client.get_random_node(), _TopicIdsRequest(names))

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


class _Uuid(AbstractType[UUID]):
    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: Any) -> UUID:
        return UUID(bytes=data.read(16))


class _TopicIdsResponse(Response):
    """Metadata v12: the first versions that aiokafka knows end before topics had ids (v10)."""

    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _TopicIdsRequestV12(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = _TopicIdsResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _TopicIdsRequest(Request[_TopicIdsRequestV12]):
    API_KEY = 3

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def build(self, request_struct_class: type[_TopicIdsRequestV12]) -> _TopicIdsRequestV12:
        topics = [(_NO_ID, name, {}) for name in self._names]
        return request_struct_class(topics, False, False, {})
