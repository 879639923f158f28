"""From the signals that a policy names to what measures them; wiring only."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet

from benchmarks.online_methods.looks import HeldOutLook, InfluenceLook, Look, ProductsLook
from benchmarks.online_methods.scene import Scene
from benchmarks.online_methods.step_measures import Excess, LastLayer, Losses, StepMeasure
from mixlaws.feedback import Signal

STEPWISE: Mapping[Signal, Callable[[Scene], StepMeasure]] = {
    Signal.LOSSES: Losses,
    Signal.LOSS_SQUARES: Losses,
    Signal.SEQUENCES: Losses,
    Signal.EXCESS: Excess,
    Signal.EXCESS_CLIPPED: Excess,
    Signal.GRAM: LastLayer,
}
LOOKS: Mapping[Signal, Callable[[Scene], Look]] = {
    Signal.EVALUATIONS: HeldOutLook,
    Signal.GRAD_PRODUCTS: ProductsLook,
    Signal.INFLUENCE: InfluenceLook,
}


def measures(signals: AbstractSet[Signal], scene: Scene) -> tuple[list[StepMeasure], dict[str, Look]]:
    """What measures signals: in every step, training losses always, and by looks, named by field.

    Raises:
        ValueError: a signal is not measured here.
    """
    unknown = sorted(signals - STEPWISE.keys() - LOOKS.keys())
    if unknown:
        raise ValueError(f"the policy needs {', '.join(unknown)}, which nothing here measures")
    kinds = dict.fromkeys([Losses, *(STEPWISE[signal] for signal in sorted(signals) if signal in STEPWISE)])
    looks = {signal.field: LOOKS[signal](scene) for signal in sorted(signals) if signal in LOOKS}
    return [kind(scene) for kind in kinds], looks
