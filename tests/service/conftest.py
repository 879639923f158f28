"""A service that the tests of one module share."""

from collections.abc import Iterator

import pytest

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
