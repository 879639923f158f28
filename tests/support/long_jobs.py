"""A live job with as much behind it as months of training leave, written straight into its tables."""

from sqlalchemy import text

from tests.support.servers import Service

_DOMAINS = 6

_REPORTS = text(
    """
    INSERT INTO reports (job_id, attempt, source, step_to, step_from, schedule_version, loss_sums,
                         token_counts, non_finite, signals, applied_seq, late, taken_back)
    SELECT :job, 1, 'rank0', 10 * seq - 1, 10 * seq - 10, 1,
           ARRAY(SELECT 512 * (2 + d * 0.3 + 4 / sqrt(seq) + 0.05 * sin(seq * (d + 7)))
                        * CASE WHEN seq = :spike AND d = 0 THEN 3 ELSE 1 END
                 FROM generate_series(0, :last_domain) d),
           array_fill(512::bigint, ARRAY[:last_domain + 1]), '{}', '{}', seq, false, false
    FROM generate_series(1, :reports) seq
    """
)
_STAGES = text(
    """
    INSERT INTO schedule_stages (job_id, version, attempt, effective_step, weights, reason, applied_seq,
                                 published_from, build, too_late, superseded, taken_back, applied_at_step)
    SELECT :job, version, 1, (version - 1) * :every, ARRAY(SELECT share / sum(share) OVER () FROM (
               SELECT 2 + sin(version * 0.002 * (d + 1)) + 0.1 * sin(version * (d + 3)) AS share
               FROM generate_series(0, :last_domain) d) shares),
           'policy', (version - 1) * :every / 10, (version - 1) * :every, '', false, false, false, NULL
    FROM generate_series(2, :versions) version
    """
)
_HEAD = text(
    """
    UPDATE jobs SET reports = :reports, applied_seq = :reports, applied_step = 10 * :reports - 1,
           reported_step = 10 * :reports - 1, version = :versions, versions_published = :versions - 1,
           last_report_at = now()
    WHERE id = :job
    """
)


def long_job(
    service: Service, name: str, *, reports: int, versions: int, domains: int = _DOMAINS, spike: int = 0
) -> None:
    """A job of so many reports of ten steps each, and so many versions; one report may hold a spike."""
    rows = [{"name": f"domain {d}", "tokens": 10**12} for d in range(domains)]
    job = service.client.create_job({"name": name, "policy": "odm", "domains": rows, "samples_per_step": 8})
    told = {
        "job": job["id"], "reports": reports, "versions": versions, "last_domain": domains - 1,
        "every": 10 * reports // versions, "spike": spike,
    }  # fmt: skip
    with service.database.session() as session:
        for statement in (_REPORTS, _STAGES, _HEAD):
            session.execute(statement, told)
