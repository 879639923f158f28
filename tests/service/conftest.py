"""A service that the tests of one module share."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from mixclient import ServiceClient
from tests.support.databases import fresh_database
from tests.support.servers import Service, running


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
    with ServiceClient(shared_service.url, key) as client:
        yield replace(shared_service, key=key, client=client, project=project)
