"""What people pin is followed as they gave it."""

import numpy as np
import pytest

from mixlaws.domains import DomainSet
from mixlaws.policies.static import Static
from mixlaws.problem import MixtureProblem
from mixlaws.steering.events import Event, EventKind
from mixlaws.steering.guards import Guards
from mixlaws.steering.steering import Steering


@pytest.mark.parametrize("epochs", [None, {"web": 4.0}])
def test_a_pin_is_outside_of_floors_whether_or_not_there_are_budgets(epochs: dict[str, float] | None) -> None:
    problem = MixtureProblem.create(DomainSet(("web", "code"), (10**9, 10**9)), max_epochs=epochs)
    steering = Steering(problem, Static(), "static", Guards(floor=0.1))
    pin = Event(EventKind.PIN, {"weights": {"web": 0.98, "code": 0.02}, "reason": "chosen"})
    _, publication = steering.publish(steering.obey(steering.init(), pin), 100)
    assert publication is not None
    assert np.array_equal(publication.stages[0].weights, [0.98, 0.02])
