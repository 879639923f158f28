"""Settings of the service, from environment variables with the prefix MIXWRIGHT_."""

from pathlib import Path

import platformdirs
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """How one process of the service runs. Made once, at the start of a command, never at import."""

    model_config = SettingsConfigDict(env_prefix="MIXWRIGHT_", extra="ignore")

    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL server, as postgresql://user:password@host/database; "
        "without it an embedded server runs in the data folder.",
    )
    database_password_file: Path | None = Field(
        default=None,
        description="File with the password of MIXWRIGHT_DATABASE_URL, which then needs none.",
    )
    data_folder: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("mixwright"),
        description="Where the embedded database and the admin key live.",
    )
    admin_key_file: Path = Field(
        default_factory=lambda others: others["data_folder"] / "admin.key",
        description="Where the first start writes an admin key, readable by its owner alone; a key that a "
        "deployment put there is taken over. By default admin.key in the data folder.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8321, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    allowed_hosts: list[str] = Field(
        default=["localhost", "127.0.0.1", "[::1]"],
        description="Host headers that are answered; a foreign one is a sign of DNS rebinding.",
    )
    lease_seconds: int = Field(
        default=120,
        ge=2,
        description="How long a worker may be silent before its run returns to the queue: "
        "heartbeats come every quarter of it, so that two lost ones restart nothing.",
    )
    largest_body_bytes: int = Field(
        default=4 * 1024 * 1024, description="Request bodies beyond this are cut off with 413."
    )
    task_seconds: int = Field(default=900, description="Deadline of one fit or proposal.")
    task_memory_bytes: int = Field(
        default=8 * 1024**3, description="Address space that one fit or proposal may use."
    )
    task_concurrency: int = Field(default=2, ge=1, le=64, description="Fits and proposals worked on at once.")
    tasks_inside: bool = Field(
        default=True, description="Whether this process runs background tasks beside the API."
    )
