"""What can go wrong, named by what the caller should do about it.

MixlawsError
├── InvalidInputError          correct the value that the message names
│   ├── UnknownDomainError       use one of the known names
│   ├── UnknownTargetError       use one of the known names
│   ├── MissingDomainError       give the domain a value
│   ├── WeightsError             put the weights on the simplex
│   └── UnknownMethodError       use one of the registered names
├── InfeasibleError            loosen a constraint that the message names, or the token budget
├── SwarmTooSmallError         finish more proxy runs
│   └── RunsAlikeError           finish runs of other mixtures
├── CurveTooShortError         measure more checkpoints, model sizes or batch sizes
├── FitError                   try another method: this one found no finite fit
└── StateError                 the saved state is not of this class or version: fit or start again
"""

import difflib
from collections.abc import Iterable, Sequence


class MixlawsError(Exception):
    """Root of every error that this package raises on purpose."""


class InvalidInputError(MixlawsError, ValueError):
    """A value that the caller gave cannot be used; the message names it."""


class UnknownDomainError(InvalidInputError):
    """A domain that is not part of the domain set."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown domain {name!r}: {_known(name, known)}")
        self.name = name


class UnknownTargetError(InvalidInputError):
    """A target that the runs do not have."""

    def __init__(self, name: str, known: Sequence[str], *, where: str = "") -> None:
        super().__init__(f"unknown target {name!r}{where}: {_known(name, known)}")
        self.name = name


class MissingDomainError(InvalidInputError):
    """A domain of the set was given no value."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        super().__init__(
            f"no value for {', '.join(map(repr, self.names))}: name every domain, with 0 if none is meant"
        )


class WeightsError(InvalidInputError):
    """Weights that are not on the simplex."""


class UnknownMethodError(InvalidInputError):
    """A method name that the registry does not hold."""

    def __init__(self, kind: str, name: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown {kind} {name!r}: {_known(name, known)}")


class InfeasibleError(MixlawsError, ValueError):
    """No mixture satisfies all constraints at once.

    `constraints` names some that have no common mixture, where groups or a distance are among them.
    """

    def __init__(self, message: str, *, constraints: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.constraints = tuple(constraints)


class SwarmTooSmallError(MixlawsError, ValueError):
    """Too few finished proxy runs for a method."""

    def __init__(self, *, method: str, needed: int, got: int) -> None:
        super().__init__(f"{got} finished proxy runs; {method} needs at least {needed}: extend the sweep")
        self.needed = needed
        self.got = got


class RunsAlikeError(SwarmTooSmallError):
    """Enough runs perhaps, but of too few distinct mixtures: repeats tell of noise and of nothing else."""

    def __init__(self, *, method: str, needed: int, got: int, runs: int) -> None:
        super().__init__(method=method, needed=needed, got=got)
        mixtures = "1 mixture" if got == 1 else f"{got} distinct mixtures"
        needs = f"{method} needs at least {needed} distinct ones: run other mixtures"
        self.args = (f"{runs} finished proxy runs of {mixtures}; {needs}",)


class CurveTooShortError(MixlawsError, ValueError):
    """Too few observations of a loss curve for a scaling law."""

    def __init__(self, *, method: str, what: str, needed: int, got: int) -> None:
        super().__init__(f"{got} {what}; {method} needs at least {needed}: measure more of them")
        self.needed = needed
        self.got = got


class FitError(MixlawsError, RuntimeError):
    """A fit did not reach finite parameters."""


class StateError(MixlawsError, ValueError):
    """A saved predictor or policy state cannot be read by this class."""


def _known(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    shown = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
    return f"{hint}known: {shown}"
