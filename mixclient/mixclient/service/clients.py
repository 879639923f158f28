"""The two clients: every operation of the API, at once or awaited."""

from mixclient.service.administration import Administration
from mixclient.service.async_connection import AsyncConnection
from mixclient.service.connection import Connection
from mixclient.service.fits import Fits
from mixclient.service.jobs import Jobs
from mixclient.service.orders import Orders
from mixclient.service.runs import Runs
from mixclient.service.studies import Studies


class Operations(Studies, Runs, Fits, Jobs, Orders, Administration):
    """Every operation of the API."""


class ServiceClient(Connection, Operations):
    """A connection to the service that blocks and raises, for workers, scripts and the command line.

    Inside a training loop use `MixtureClient`, which does neither.

    Args:
        url: address of the service, such as `http://127.0.0.1:8321`.
        key: API key; sent in the Authorization header, never in an address.
        timeout: seconds to wait for an answer.
        retry: which failures are tried again, and how often; `ONCE` for none.
    """


class AsyncServiceClient(AsyncConnection, Operations):
    """The same for asyncio: methods are awaited, `iterate` is used with `async for`.

    Args:
        url: address of the service, such as `http://127.0.0.1:8321`.
        key: API key; sent in the Authorization header, never in an address.
        timeout: seconds to wait for an answer.
        retry: which failures are tried again, and how often; `ONCE` for none.
    """
