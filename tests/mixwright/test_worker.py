"""`mixwright worker`: what is wrong with address, key or text is told before anything takes time."""

import signal
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from queue import Queue
from types import SimpleNamespace

import psutil
import pytest
from rich.console import Console

from mixwright.pool import Order, Pool
from mixwright.training_work import _show
from proxy_training.moment import Moment
from service.scopes import Scope
from tests.mixwright.commands import Command, new_texts, spawned
from tests.service.embedded_postgres.actors import DEADLINE_SECONDS, until
from tests.support.servers import Service

NOBODY = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two domains, each large enough to hold documents out."""
    return new_texts(tmp_path_factory.mktemp("texts"), documents=20)


@pytest.fixture
def other_server() -> Iterator[str]:
    """The address of a server of another kind."""

    class NotFound(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), NotFound) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    "url", ["localhost:8321", "ftp://localhost", "http://", "http://[::1", "http://localhost:99999", ""]
)
def test_an_address_that_is_none_is_told_with_one_that_is(command: Command, url: str) -> None:
    refused = command("worker", "--url", url, "--key", "k")
    assert f"{url!r} is no address: pass --url with one such as http://127.0.0.1:8321" in refused.sentence


def test_a_server_of_another_kind_is_recognised(command: Command, other_server: str) -> None:
    refused = command("worker", "--url", other_server, "--key", "k")
    assert f"{other_server} answers, but not as the service does: correct --url" in refused.sentence


def test_a_key_that_nobody_made_is_refused_by_the_service(command: Command, service: Service) -> None:
    refused = command("worker", "--url", service.url, "--key", "mx_000000000000_" + "a" * 43)
    assert refused.code == 1
    assert "401" in refused.sentence


def test_a_key_without_the_scope_of_a_worker_is_told_which_one_it_lacks(
    command: Command, service: Service
) -> None:
    key = service.new_key(Scope.STUDIES_READ)
    refused = command("worker", "--url", service.url, MIXWRIGHT_KEY=key)
    assert "lacks the scope 'runs:work'" in refused.sentence
    assert key not in refused.err


def test_a_key_with_foreign_characters_is_told_before_it_is_sent(command: Command) -> None:
    assert "copy it again" in command("worker", "--url", NOBODY, "--key", "ключ").sentence


def test_without_a_key_the_admin_key_is_looked_for_and_missed(command: Command, home: Path) -> None:
    refused = command("worker", MIXWRIGHT_DATA_FOLDER=str(home))
    assert "no API key: pass --key, set MIXWRIGHT_KEY, or start `mixwright serve`" in refused.sentence
    assert str(home / "admin.key") in refused.sentence


def test_the_admin_key_goes_to_no_other_machine(command: Command, home: Path) -> None:
    (home / "admin.key").write_text("mx_000000000000_" + "a" * 43)
    refused = command("worker", "--url", "http://elsewhere.invalid", MIXWRIGHT_DATA_FOLDER=str(home))
    assert "no API key for http://elsewhere.invalid" in refused.sentence


def empty(folder: Path) -> str:
    return f"{folder} has no sub-folders: put the files of each domain into one of its own"


def missing(folder: Path) -> str:
    folder.rmdir()
    return f"{folder} cannot be read (No such file or directory): give an existing folder"


def a_file(folder: Path) -> str:
    folder.rmdir()
    folder.write_text("text")
    return f"{folder} cannot be read (Not a directory): give an existing folder"


def an_empty_domain(folder: Path) -> str:
    (folder / "web").mkdir()
    return f"{folder / 'web'} is empty: give domain 'web' files, or remove its folder"


def another_format(folder: Path) -> str:
    (folder / "web").mkdir()
    (folder / "web" / "page.pdf").touch()
    return "(the first is 'page.pdf'): use .txt, .md, .jsonl"


def a_broken_file(folder: Path) -> str:
    (folder / "web").mkdir()
    (folder / "web" / "pages.jsonl").write_text('{"text": "one"}\n{"text": ')
    return f"{folder / 'web' / 'pages.jsonl'}, line 2: is not JSON"


def too_small(folder: Path) -> str:
    new_texts(folder, documents=2)
    return "domain 'digits' has 2 documents"


@pytest.mark.parametrize(
    "prepare", [empty, missing, a_file, an_empty_domain, another_format, a_broken_file, too_small]
)
def test_text_that_cannot_be_used_is_told_with_the_way_out(
    command: Command, tmp_path: Path, prepare: Callable[[Path], str]
) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    message = prepare(folder)
    refused = command("worker", "--url", NOBODY, "--key", "k", "--corpus", str(folder))
    assert refused.code == 1
    assert message in refused.sentence


@pytest.mark.parametrize("option", ["--megabytes", "--vocabulary"])
@pytest.mark.parametrize("value", ["0", "-1"])
def test_a_size_that_cannot_be_is_refused(command: Command, texts: Path, option: str, value: str) -> None:
    refused = command("worker", "--url", NOBODY, "--key", "k", "--corpus", str(texts), option, value)
    assert value in refused.sentence


def test_a_service_that_does_not_answer_yet_is_named_and_waited_for(command: Command, home: Path) -> None:
    # What ends this one is its folder, which is looked at only after the service was.
    ended = command("worker", "--url", NOBODY, "--key", "k", "--corpus", str(home / "nowhere"))
    assert "waiting for the service: PUT http://127.0.0.1:1" in ended.err


def test_the_name_of_a_run_is_shown_as_it_is() -> None:
    shown, told = StringIO(), Queue[tuple[int, Moment]]()
    for moment in (Moment("[/bold]", 0.5, "training"), Moment("[/bold]", 1.0, "completed", "[red]")):
        told.put((0, moment))
    _show(Console(file=shown, width=100), SimpleNamespace(alive=False, told=told))  # type: ignore[arg-type]
    assert shown.getvalue().strip() == "[/bold]: completed [red]"


@pytest.mark.slow
def test_a_worker_ends_when_nothing_is_left_and_in_order_when_asked_to(service: Service, texts: Path) -> None:
    arguments = ("worker", "--url", service.url, "--corpus", str(texts), "--vocabulary", "300")
    process = spawned(*arguments, "--until-idle", MIXWRIGHT_KEY=service.key)
    _, err = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0, err
    assert "with 2 domains" in err

    process = spawned(*arguments, MIXWRIGHT_KEY=service.key)
    try:
        assert process.stderr is not None
        while "with 2 domains" not in process.stderr.readline():
            assert process.poll() is None
        parent = psutil.Process(process.pid)
        until(lambda: bool(parent.children()))
        children = parent.children(recursive=True)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=DEADLINE_SECONDS)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, err
    assert "runs in training return to the queue" in err
    _, alive = psutil.wait_procs(children, timeout=DEADLINE_SECONDS)
    assert not alive


@pytest.mark.slow
@pytest.mark.parametrize(("device", "why"), [("cpu", "no-corpus"), ("toaster", "device 'toaster' cannot")])
def test_a_training_process_tells_in_a_sentence_why_it_died(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], device: str, why: str
) -> None:
    pool = Pool(Order(NOBODY, "k", tmp_path / "no-corpus", device=device))
    pool.start(1)
    (child,) = pool.children
    child.join(DEADLINE_SECONDS)
    assert pool.died() == [1]
    assert not pool.alive
    said = capfd.readouterr().err
    assert said.startswith("mixwright: ")
    assert why in said
    assert "Traceback" not in said
