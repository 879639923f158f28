"""Workers of torch's DataLoader beside a client that was started before them."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from torch.utils.data import DataLoader, Dataset

from mixclient import ForkedClientError, MixtureClient, Sampler
from tests.support.scripted import client, train

STEPS = 4

# Python 3.12 and later warn of forks of a process with threads: that such forks do no harm is tested here.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


class Drawn(Dataset[list[int]]):
    """The domains of each step, drawn in a worker."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def __len__(self) -> int:
        return STEPS

    def __getitem__(self, step: int) -> list[int]:
        return [os.getpid(), *self._sampler.step(step)]


class Asking(Dataset[str]):
    """What a client of the trainer answers to a worker."""

    def __init__(self, follower: MixtureClient) -> None:
        self._follower = follower

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> str:
        self._follower.step(index)
        self._follower.record(index, loss_sums=[1.0, 1.0], token_counts=[1, 1])
        try:
            self._follower.step(STEPS + index)
        except ForkedClientError as error:
            return str(error)
        return "drawn"


def first(batch: Sequence[list[int]]) -> list[int]:
    return batch[0]


def told(batch: Sequence[str]) -> str:
    return batch[0]


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_workers_draw_what_their_trainer_draws_while_it_goes_on(tmp_path: Path, method: str) -> None:
    follower = client(tmp_path, report_every=1)
    follower.start()
    train(follower, range(STEPS))
    expected = [follower.step(step) for step in range(STEPS)]
    loader = DataLoader(
        Drawn(Sampler(follower.schedule)), num_workers=2, multiprocessing_context=method, collate_fn=first
    )
    found = list(loader)
    assert [domains for _, *domains in found] == expected
    assert os.getpid() not in {pid for pid, *_ in found}
    train(follower, range(STEPS, 2 * STEPS))
    assert follower.close()
    assert follower.counters()["sent_reports"] == 2 * STEPS


def test_a_worker_that_was_given_the_client_reads_it_and_is_told_where_to_draw(tmp_path: Path) -> None:
    follower = client(tmp_path, report_every=1)
    follower.start()
    train(follower, range(STEPS))
    loader = DataLoader(Asking(follower), num_workers=2, multiprocessing_context="fork", collate_fn=told)
    assert all("Draw in the process that called start()" in answer for answer in loader)
    train(follower, range(STEPS, 2 * STEPS))
    assert follower.close()
    assert follower.counters()["sent_reports"] == 2 * STEPS
