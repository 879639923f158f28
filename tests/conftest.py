"""What all tests share: reference data, seeded generators, hypothesis without deadlines."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

# Two test processes with two BLAS threads each get in each other's way on two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Started in the background of a script, a suite inherits an ignored SIGINT, and so would its children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import numpy as np
import pytest
from hypothesis import settings

from mixclient import ONCE, ServiceClient
from service.db import Database
from tests.support.databases import fresh_database, shared_server
from tests.support.servers import Service, running

# A loaded machine makes one example slow; speed is measured in benchmarks, never in tests.
settings.register_profile("mixwright", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("mixwright")

REFERENCE_VARIABLE = "MIXWRIGHT_REFERENCE_DATA"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20261120)


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Folder of published data and reference vectors; tests that need it say so when it is not there."""
    folder = os.environ.get(REFERENCE_VARIABLE)
    if not folder:
        pytest.skip(f"{REFERENCE_VARIABLE} is not set: the comparison with published numbers is left out")
    path = Path(folder)
    assert path.is_dir(), f"{REFERENCE_VARIABLE} names {path}, which is no folder"
    return path


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """URL of the PostgreSQL server of this test session."""
    base = tmp_path_factory.getbasetemp()
    # Parallel workers have folders of their own below one that they share.
    with shared_server(base if worker_id == "master" else base.parent) as url:
        yield url


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    """A migrated database of the test's own."""
    with fresh_database(postgres_url) as fresh:
        yield fresh


@pytest.fixture
def service(database: Database, tmp_path: Path) -> Iterator[Service]:
    """A running service of the test's own."""
    with running(database, tmp_path) as started:
        yield started


@pytest.fixture(scope="module")
def shared_service(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service without tasks, for tests that do not mind what others left in it."""
    folder = tmp_path_factory.mktemp("shared")
    with (
        fresh_database(postgres_url) as database,
        running(database, folder, tasks_inside=False) as started,
    ):
        yield started


@pytest.fixture
def tenant(shared_service: Service) -> Iterator[Service]:
    """The shared service with a key to a project of the test's own: names are free again."""
    project = f"tenant-{uuid4()}"
    key = shared_service.new_key(project=project)
    with ServiceClient(shared_service.url, key, retry=ONCE) as client:
        yield replace(shared_service, key=key, client=client, project=project)
