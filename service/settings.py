"""Settings of the service, from environment variables with the prefix MIXWRIGHT_."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.limits.quotas import Quotas


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
    trusted_proxies: list[IPv4Network | IPv6Network] = Field(
        default=[],
        description="Addresses or networks of proxies whose X-Forwarded-For, -Proto and -Host are believed.",
    )
    root_path: str = Field(
        default="",
        pattern=r"^(/[A-Za-z0-9._~-]+)*$",
        description="Prefix under which a proxy shows the service, such as /mix.",
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
    largest_import_bytes: int = Field(
        default=256 * 1024 * 1024, description="The same for the file of a study; it lies on disk meanwhile."
    )
    waiters: int = Field(
        default=10_000,
        ge=1,
        description="Long polls and event streams that one process holds at once, some 16 KiB each; "
        "beyond this they are told to come back.",
    )
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", description="Lines of the log as JSON or for people; auto: as JSON but on a terminal."
    )
    access_log: bool = Field(default=False, description="Whether each request is a line of the log.")
    tracing: bool = Field(
        default=False,
        description="Whether requests are sent as spans to the collector that OTEL_EXPORTER_OTLP_ENDPOINT "
        "names; that variable alone asks for it too. Needs the extra otel.",
    )
    body_seconds: float = Field(
        default=30.0, gt=0, description="How long a request body may take to arrive; then 408."
    )
    requests_per_second: float = Field(
        default=5000.0,
        ge=0,
        description="Requests of one key that this process answers, four seconds of it at once; 0 for any "
        "number. A trainer makes one a second or fewer.",
    )
    failed_logins_per_minute: float = Field(
        default=300.0,
        ge=0,
        description="Requests without a good key that one address may make before it is told to wait; 0 for "
        "any number. Good keys are never held up.",
    )
    most_studies: int = Field(default=10_000, ge=0, description="Studies of one project; 0 for any number.")
    most_runs: int = Field(
        default=10_000_000, ge=0, description="Proxy runs of one project; 0 for any number."
    )
    most_jobs: int = Field(default=100_000, ge=0, description="Jobs of one project; 0 for any number.")
    most_keys: int = Field(
        default=10_000, ge=0, description="Keys of one project that are not revoked; 0 for any number."
    )
    most_definition_bytes: int = Field(
        default=1024 * 1024, ge=0, description="Size of one study's or job's definition; 0 for any size."
    )
    task_seconds: int = Field(default=900, description="Deadline of one fit or proposal.")
    task_memory_bytes: int = Field(
        default=8 * 1024**3, description="Address space that one fit or proposal may use."
    )
    task_concurrency: int = Field(default=2, ge=1, le=64, description="Fits and proposals worked on at once.")
    task_tries: int = Field(
        default=3, ge=1, le=100, description="How often a fit or proposal is begun before it is given up."
    )
    task_retry_seconds: float = Field(
        default=10.0, gt=0, description="Pause before the second try; each further one waits twice as long."
    )
    tasks_inside: bool = Field(
        default=True, description="Whether this process runs background tasks beside the API."
    )

    keep_reports_days: int | None = Field(
        default=None,
        ge=0,
        description="Days after the end of a job for which its reports and snapshots are kept; without it "
        "they are kept for ever. A job whose reports are gone cannot be replayed.",
    )

    @property
    def quotas(self) -> Quotas:
        """What one project may keep."""
        return Quotas(
            self.most_studies, self.most_runs, self.most_jobs, self.most_keys, self.most_definition_bytes
        )
