"""What every service is told by its environment, read once by the composition root."""

import base64
import binascii
import hashlib
import os
import socket
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PLACEHOLDER_TOKENS = ("change-me", "changeme", "token", "secret", "test", "development")


class Token(BaseModel):
    """Who a bearer token belongs to, and what it may do; the scope ``*`` allows everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    scopes: frozenset[str]


Sha256Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ServiceSettings(BaseSettings):
    """The variables that all services share; a service's own settings inherit from it.

    What has no default is required. ``database_url`` and ``master_key`` are secrets and never shown.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    database_url: SecretStr = Field(validation_alias="DATABASE_URL")
    kafka_bootstrap_servers: str = Field(validation_alias="KAFKA_BOOTSTRAP_SERVERS", min_length=1)
    host: str = Field("127.0.0.1", validation_alias="THROUGHLINE_HOST")
    port: int | None = Field(None, validation_alias="THROUGHLINE_PORT", ge=0, le=65535)
    master_key: SecretStr = Field(validation_alias="THROUGHLINE_MASTER_KEY")
    tokens: dict[Sha256Hex, Token] = Field(validation_alias="THROUGHLINE_TOKENS")
    environment: Literal["production", "development"] = Field("production", validation_alias="THROUGHLINE_ENVIRONMENT")
    topic_prefix: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{0,100}$")] = Field(
        "", validation_alias="THROUGHLINE_TOPIC_PREFIX"
    )
    contacts_partitions: int = Field(12, validation_alias="THROUGHLINE_CONTACTS_PARTITIONS", ge=1)
    other_partitions: int = Field(3, validation_alias="THROUGHLINE_OTHER_PARTITIONS", ge=1)
    topic_replication: int = Field(1, validation_alias="THROUGHLINE_TOPIC_REPLICATION", ge=1)
    gather_ms: int = Field(0, validation_alias="THROUGHLINE_GATHER_MS", ge=0, le=5_000)
    """For how long records are gathered at the broker once some have come; one that comes alone is never held up."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", validation_alias="THROUGHLINE_LOG_LEVEL")
    replica: str = Field(
        default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}", validation_alias="THROUGHLINE_REPLICA"
    )

    @classmethod
    def from_environment(cls) -> Self:
        """Reads the process's environment; raises pydantic's ValidationError, which names each variable."""
        return cls.model_validate({})

    @property
    def dsn(self) -> str:
        """The address of the service's own database, password included."""
        return self.database_url.get_secret_value()

    @property
    def master_key_bytes(self) -> bytes:
        """The 32 bytes that wrap the customers' keys."""
        return base64.b64decode(self.master_key.get_secret_value(), validate=True)

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, value: SecretStr) -> SecretStr:
        if urlsplit(value.get_secret_value()).scheme not in {"postgresql", "postgres"}:
            raise ValueError("must begin with postgresql://")
        return value

    @field_validator("master_key")
    @classmethod
    def _is_32_bytes(cls, value: SecretStr) -> SecretStr:
        try:
            raw = base64.b64decode(value.get_secret_value(), validate=True)
        except binascii.Error as error:
            raise ValueError("must be base64") from error
        if len(raw) != 32:
            raise ValueError(f"must be base64 of 32 bytes, not of {len(raw)}")
        return value

    @model_validator(mode="after")
    def _has_no_placeholder_in_production(self) -> Self:
        if self.environment == "development":
            return self
        if len(set(self.master_key_bytes)) == 1:
            raise ValueError("THROUGHLINE_MASTER_KEY is a placeholder: make one with 32 random bytes")
        known = {hashlib.sha256(word.encode()).hexdigest() for word in PLACEHOLDER_TOKENS}
        if known & self.tokens.keys():
            raise ValueError("THROUGHLINE_TOKENS holds a placeholder token: make a random one")
        return self
