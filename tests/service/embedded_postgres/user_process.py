"""One user of an embedded server in a process of its own: lines tell it what to do, lines of JSON answer.

Run as: user_process.py FOLDER [UID GID]. With an account it drops to it after its imports, so that it needs
no interpreter which that account can read.
"""

import codecs
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from service.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError


def answers(postgres: EmbeddedPostgres) -> Iterator[dict[str, object]]:
    yield {"ready": True}
    for line in sys.stdin:
        try:
            if line.strip() == "start":
                server = postgres.start()
                yield {"url": server.url, "folder": str(server.folder)}
            else:
                postgres.release()
                yield {"released": True}
        except EmbeddedPostgresError as error:
            yield {"error": type(error).__name__, "message": str(error)}


def main(folder: str, uid: str = "", gid: str = "") -> None:
    if uid:
        codecs.lookup("ascii")  # imported at its first use, when its file cannot be read any more
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
        os.environ["HOME"] = "/nonexistent"
    for answer in answers(EmbeddedPostgres(Path(folder))):
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
