"""Plans are followed stage by stage, and a new one takes effect after the lead."""

import numpy as np

from mixlaws.driving import PlanFollower
from mixlaws.policy import Stage


def test_a_follower_counts_the_stages_of_the_newest_plan_alone() -> None:
    one, other = np.array([0.4, 0.6]), np.array([0.7, 0.3])
    follower = PlanFollower(lead=5)
    follower.follow([Stage(one, 4), Stage(other)], 0)
    lengths = [follower.train(0, 10)[1]]
    done = [follower.stages_done]
    newer = [Stage(other, 3), Stage(one)]
    follower.follow(newer, 4)
    done.append(follower.stages_done)
    weights, steps = follower.train(4, 10)
    assert np.array_equal(weights, other)
    follower.follow(newer, 9)
    done.append(follower.stages_done)
    lengths += [steps, follower.train(9, 10)[1]]
    done.append(follower.stages_done)
    assert lengths == [4, 5, 3]
    assert done == [1, None, 0, 1]
    assert follower.version == 2


def test_a_plan_that_is_given_again_goes_on_and_one_that_differs_by_rounding_is_the_same() -> None:
    weights = np.array([0.1, 0.9])
    follower = PlanFollower()
    for step in range(6):
        follower.follow([Stage(weights * (1 + 1e-15 * step), 3), Stage(weights[::-1])], step)
        assert np.array_equal(follower.train(step, 1)[0], weights if step < 3 else weights[::-1])
    assert follower.version == 1
