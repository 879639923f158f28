"""Live jobs: schedules, reports, acknowledgements, attempts."""
