"""The steering of a live job: a policy between guards, driven by an ordered log."""
