"""What the TiKMiX policies know: the influence of every domain on every target, and what follows of it."""

import hashlib
import json
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.measurements import Influence
from mixlaws.policies.packing import packed, unpacked

KIND = "<f4"  # of a dump: estimates of influence have no more digits than single precision
_MOST = float(np.finfo(KIND).max)
MOST_KEPT = 9000  # numbers that a state keeps: 48 KB


@dataclass(frozen=True, eq=False)
class Known:
    """The newest influence of each domain on each target.

    Args:
        influence: (d, t) in single precision; NaN where never measured.
        kind: digest of the targets' names and of how their influence was estimated.
    """

    influence: FloatArray
    kind: str = ""

    @classmethod
    def nothing(cls, d: int) -> "Known":
        """Of d domains, before any measurement."""
        return cls(frozen(np.empty((d, 0))))

    def told(self, measured: Influence) -> "Known":
        """With the numbers of a measurement; what it leaves out stays as it was, if it is of one kind."""
        kind = _kind(measured)
        before = self.influence if self.kind == kind else np.nan
        influence = np.where(np.isfinite(measured.influence), measured.influence, before)
        return Known(frozen(np.clip(influence, -_MOST, _MOST).astype(KIND)), kind)

    def kept(self) -> "Known":
        """What a state keeps of it: nothing of a table that is too large."""
        return self if self.influence.size <= MOST_KEPT else Known.nothing(len(self.influence))

    def table(self, weights: FloatArray) -> FloatArray:
        """(d, t) influences without gaps, of the targets of which anything is known.

        What was never measured counts as what the mixture (d,) does on the domains that were: neither more
        nor less of it is wanted for it.
        """
        present = np.isfinite(self.influence)
        seen = present.any(axis=0)
        present, influence = present[:, seen], np.where(present, self.influence, 0.0)[:, seen]
        counted = np.where(present, weights[:, None], 0.0)
        counted = np.where(counted.sum(axis=0) > 0, counted, present)
        usual = (counted * influence).sum(axis=0) / counted.sum(axis=0)
        return np.where(present, influence, usual)

    def dump(self) -> JsonObject:
        """What is known as JSON, the table as base64."""
        return {"influence": packed(self.influence, KIND), "kind": self.kind}

    @classmethod
    def load(cls, raw: JsonObject, d: int) -> "Known":
        """What is known of d domains, from its dump."""
        return cls(frozen(unpacked(raw["influence"], KIND).reshape(d, -1)), str(raw["kind"]))


def _kind(measured: Influence) -> str:
    told = json.dumps([measured.method, *measured.targets])
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()
