"""A bare Starlette application that answers with given bytes, under the service's own server settings.

    python -m benchmarks.bare FILE

FILE holds what it answers, as JSON; the address is printed.
"""

import json
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.server import bind, configuration, url_of


def main() -> None:
    """Serve until killed."""
    told = json.loads(Path(sys.argv[1]).read_text())
    headers, body = told["headers"], told["body"].encode()

    async def answer(request: Request) -> Response:
        if request.headers.get("if-none-match"):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type="application/json")

    app = Starlette(routes=[Route("/v1/jobs/{job}/schedule", answer)])
    with bind("127.0.0.1", 0) as listening:
        print(url_of(listening), flush=True)
        uvicorn.Server(configuration(app)).run(sockets=[listening])


if __name__ == "__main__":
    main()
