"""What the data mixing agent sees of a job, and the network that turns it into weights.

Every domain has 7 features of its own, none of which depends on the others' order or on the unit of tokens.
One network is shared by all domains, with the mean over domains beside it:

    h_i = relu(A x_i + a)                          x_i the features of domain i
    g_i = relu(B [h_i, mean_j h_j] + b)
    w   = .98 softmax(6 tanh(C g_i + c)) + .02 / d

so that it is equivariant and works for any number of domains (Zaheer et al. 2017, arXiv:1703.06114).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.policies.arithmetic import softmax
from mixlaws.policies.portfolio_record import Record

FEATURES = 7
MOST_LOGIT = 6.0
EVEN_SHARE = 0.02  # else a domain that the network is wrong about is never read again
_REACH = 0.2  # of the tokens read: how far ahead a fall is forecast
_LEAST_FALL = 1e-3  # nats; what falls less counts as if it fell so much
_FILE = Path(__file__).with_name("agent_weights.json")


@dataclass(frozen=True, eq=False)
class Network:
    """A trained network.

    Args:
        layers: A, a, B, b, C and c by name.
        digest: name of these numbers.
    """

    layers: Mapping[str, FloatArray]
    digest: str

    def weights(self, features: FloatArray, /) -> FloatArray:
        """(d,) mixture for (d, 7) features."""
        at = self.layers
        hidden = np.maximum(features @ at["A"].T + at["a"], 0.0)
        pooled = np.broadcast_to(hidden.mean(axis=0), hidden.shape)
        joined = np.maximum(np.concatenate([hidden, pooled], axis=1) @ at["B"].T + at["b"], 0.0)
        shares = softmax(MOST_LOGIT * np.tanh(joined @ at["C"][0] + at["c"][0]))
        return (1 - EVEN_SHARE) * shares + EVEN_SHARE / len(shares)


def features(record: Record, prior: FloatArray, held: FloatArray) -> FloatArray | None:
    """What the agent sees; None while too few losses are known.

    Args:
        record: losses of the past.
        prior: (d,) mixture that the job began with.
        held: (d,) tokens that each domain holds.

    Returns:
        (d, 7) logarithms of prior and of realised share against equal ones, of the loss's forecast fall, of
        the times a domain was read and of d; loss against the mean, and its last fall.
    """
    curves = record.curves
    if curves is None:
        return None
    d, read = len(prior), np.maximum(record.read, 1.0)
    total = read.sum()
    now = curves.losses(read)
    fall = now - curves.losses(read + _REACH * total / d)
    seen = (record.tokens[-1] > 0) & (record.tokens[-2] > 0)
    last = np.where(seen, record.losses[-2] - record.losses[-1], 0.0)
    columns = [
        np.log(np.maximum(prior, 1e-6) * d) / 3,
        np.log(read / total * d) / 3,
        np.log(np.maximum(fall, 0.0) + _LEAST_FALL) / 3,
        np.log(read / np.maximum(held, 1.0)) / 5,
        np.full(d, np.log(d) / 3),
        (now - now.mean()) / 3,
        last,
    ]
    return np.asarray(np.clip(np.stack(columns, axis=1), -5.0, 5.0))


@cache
def trained() -> Network:
    """The network that ships, made by `python -m proxy_training.agent`."""
    text = _FILE.read_text(encoding="utf-8")
    layers = {name: np.array(values) for name, values in json.loads(text).items()}
    return Network(layers, hashlib.sha256(text.encode()).hexdigest()[:16])
