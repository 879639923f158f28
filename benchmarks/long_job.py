"""A job that has run for long, filled by SQL: reports, and a version for every tenth of them."""

from typing import Any

import psycopg

STEPS = 10  # of a report
REPORTS_A_VERSION = 10

_REPORTS = """
INSERT INTO reports (job_id, attempt, source, step_to, step_from, schedule_version, loss_sums, token_counts,
                     non_finite, signals, applied_seq, late, taken_back)
SELECT jobs.id, 1, 'rank0', n * %(steps)s - 1, (n - 1) * %(steps)s, 1 + (n - 1) / %(every)s,
       (SELECT array_agg(64 * (2 + 6 / sqrt(n + 1 + d) + random()))
        FROM generate_series(1, %(domains)s) AS d),
       array_fill(64::bigint, ARRAY[%(domains)s::int]), '{}', '{}', n, false, false
FROM jobs, generate_series(1, %(reports)s::int) AS n WHERE jobs.name = %(job)s
"""
_STAGES = """
INSERT INTO schedule_stages (job_id, version, attempt, effective_step, weights, reason, applied_seq,
                             published_from, build, too_late, superseded, taken_back, applied_at_step)
SELECT jobs.id, n + 1, 1, n * %(every)s * %(steps)s + 20,
       (SELECT array_agg(part / total) FROM (
          SELECT part, sum(part) OVER () AS total FROM (
            SELECT 1 + random() * d / (n + d) AS part
            FROM generate_series(1, %(domains)s) AS d) AS drawn) AS parts),
       'odm', n * %(every)s, n * %(every)s * %(steps)s, 'filled', false, false, false,
       n * %(every)s * %(steps)s + 20
FROM jobs, generate_series(1, %(reports)s::int / %(every)s) AS n WHERE jobs.name = %(job)s
"""
_JOB = """
UPDATE jobs SET applied_seq = %(reports)s, applied_step = %(reports)s::bigint * %(steps)s - 1,
  reported_step = %(reports)s::bigint * %(steps)s - 1, version = 1 + %(reports)s::int / %(every)s,
  versions_published = %(reports)s::int / %(every)s, reports = %(reports)s, last_report_at = now()
WHERE name = %(job)s
"""


def fill(connection: psycopg.Connection[Any], job: str, reports: int, domains: int) -> None:
    """Fill a job that has no reports yet.

    Args:
        connection: to its database.
        job: its name.
        reports: how many.
        domains: how many it has.
    """
    told = {"job": job, "reports": reports, "domains": domains, "steps": STEPS, "every": REPORTS_A_VERSION}
    for statement in (_REPORTS, _STAGES, _JOB):
        connection.execute(statement, told)
    connection.execute("VACUUM (ANALYZE)")
