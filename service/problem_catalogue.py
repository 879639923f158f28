"""Every code that a problem document may have, and what to do about it.

The page `/problems` and docs/problems.md are made from this; a test finds codes that are missing here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

PAGE = "/problems"


@dataclass(frozen=True)
class Kind:
    """A kind of problem.

    Args:
        statuses: HTTP statuses that it comes with; none for the `error_code` of a task.
        meaning: what has happened.
        remedy: what a caller does about it.
    """

    statuses: tuple[int, ...]
    meaning: str
    remedy: str

    @property
    def where(self) -> str:
        """What it comes with, as a sentence."""
        return f"Status {', '.join(map(str, self.statuses))}." if self.statuses else "Of a task."


_INPUT = "Correct the value that `detail` names, and send the request again."
_RETRY = "Send the request again after the seconds in `Retry-After`. Nothing was stored."

KINDS: Mapping[str, Kind] = {
    "attempt_required": Kind(
        (409,),
        "A trainer reports steps long before its own last one, as after a restart from a checkpoint.",
        "Open an attempt at the step of the checkpoint, then report under its number.",
    ),
    "bad_request": Kind((400,), "The body cannot be read as JSON.", "Correct what `detail` says of it."),
    "batch_too_large": Kind(
        (413,), "A batch has more items than one request may bring.", "Send it in parts."
    ),
    "body_too_large": Kind(
        (413,), "The body has more bytes than this service takes.", "Send it in several requests."
    ),
    "body_too_slow": Kind(
        (408,), "The body of the request did not arrive in time.", "Send it again, or in parts."
    ),
    "conflict": Kind(
        (409,),
        "Something of that name or id is stored, with other values.",
        "Choose another name, or send what is stored: the same again is not an error.",
    ),
    "cross_origin": Kind(
        (403,),
        "A browser sent a write with the cookie of the dashboard from a page of another site.",
        "Send it from the dashboard itself, or with an API key.",
    ),
    "curve_too_short": Kind(
        (422,), "A curve has too few points.", "Measure more checkpoints, model sizes or batch sizes."
    ),
    "database_busy": Kind(
        (503,), "Another session holds what the request needs, or all connections are in use.", _RETRY
    ),
    "database_forbids": Kind(
        (503,), "The service's role in the database lacks a permission; reads may work.", _RETRY
    ),
    "database_full": Kind((503,), "The disk of the database is full, or fails.", _RETRY),
    "database_read_only": Kind((503,), "The database takes no writes at the moment; reads work.", _RETRY),
    "database_unavailable": Kind((503,), "The database did not answer in time.", _RETRY),
    "deadline": Kind(
        (), "A task was not done within its time.", "Use fewer runs or a simpler method, or raise the limit."
    ),
    "died": Kind((), "The computation of a task ended without an answer.", "Ask for it again, or report it."),
    "duplicate_key": Kind(
        (422,), "A JSON object names a key twice.", "Send each key once: nobody knows which value was meant."
    ),
    "duplicate_run": Kind(
        (422,), "An import has two different runs of one name.", "Give each run a name of its own."
    ),
    "edited_meanwhile": Kind(
        (412,),
        "What you overwrite was changed since you read it.",
        "Read it again, and send your change with the ETag that comes with it.",
    ),
    "ending": Kind(
        (503,), "The process that was asked ends, as in an upgrade; what waited there is let go.", _RETRY
    ),
    "error": Kind((408, 415, 421, 431), "The request was refused before it was read.", "Read `detail`."),
    "fit": Kind((422,), "The method found no finite fit.", "Try another method, or look at the values."),
    "fit_imported": Kind(
        (409,),
        "The fit came with the file of a study: it can be read, and nothing is computed from it.",
        "Ask for the same fit here, and use that.",
    ),
    "fit_not_done": Kind(
        (409,), "The fit is not done, or has failed.", "Wait until its state is `done`, or read its error."
    ),
    "fit_of_another_version": Kind(
        (409,), "The fit was stored by a version whose fits this one cannot read.", "Ask for the fit again."
    ),
    "idempotency_key_reused": Kind(
        (422,),
        "This Idempotency-Key was used for another request within the last 24 hours.",
        "Send each request under a key of its own, such as a fresh UUID.",
    ),
    "in_use": Kind(
        (409,),
        "What you delete is at work: its runs are in training, or a trainer reported a moment ago.",
        "End or cancel it first, or delete it by force.",
    ),
    "infeasible": Kind(
        (422,), "No mixture meets all constraints.", "Loosen one that `detail` names, or the token budget."
    ),
    "inputs_changed": Kind(
        (409,), "The runs of a fit have changed since it was asked for.", "Ask for a new fit."
    ),
    "insufficient_data": Kind(
        (422,),
        "There are too few finished runs; `needed` and `got` say how few.",
        "Train more, then ask again.",
    ),
    "internal_error": Kind(
        (500,),
        "The service failed; the cause is in its log under `request_id`.",
        "Try again, and tell whoever runs the service the `request_id` if it stays.",
    ),
    "invalid_cursor": Kind(
        (400,),
        "The cursor is of no page of this list with these filters.",
        "Begin again without a cursor, then send each `next` as it came, with the same filters.",
    ),
    "invalid_input": Kind((422,), "A value cannot be used.", _INPUT),
    "invalid_request": Kind(
        (422,),
        "Fields are missing, unknown or of the wrong kind.",
        "Correct the fields that `errors` names, or `detail`.",
    ),
    "job_not_steerable": Kind(
        (503,),
        "This version of the service cannot steer the job. Its reports wait with the trainer.",
        "Go back to the version of the service that the job was made with.",
    ),
    "key_ended": Kind((409,), "The key is revoked or has expired.", "Make a new one."),
    "key_replaced": Kind((409,), "The key was replaced before.", "Rotate the one that replaced it."),
    "killed": Kind(
        (),
        "The system killed the computation of a task, mostly for want of memory.",
        "Give it more, or fewer runs.",
    ),
    "lease_lost": Kind(
        (409,), "The lease of the run expired and another worker holds it.", "Stop training this run."
    ),
    "leased": Kind(
        (409,),
        "Another worker holds the run; `holder` says who.",
        "Wait until its lease ends, or take the run by force if that worker is gone.",
    ),
    "method_not_allowed": Kind((405,), "This address does not take this method.", "Use one from `Allow`."),
    "missing_domain": Kind((422,), "A domain was given no value.", "Name every domain, with 0 for none."),
    "missing_scope": Kind(
        (403,), "The key lacks the scope that `detail` names.", "Use a key that has it, or make one."
    ),
    "mixlaws": Kind((422,), "The library refused a value.", _INPUT),
    "not_claimed": Kind((409,), "The run waits for a worker.", "Claim it first."),
    "not_completed": Kind((409,), "The run is not completed.", "Cancel a run that is not finished."),
    "not_failed": Kind(
        (409,), "The run has neither failed nor been cancelled.", "Leave it, or invalidate it."
    ),
    "not_found": Kind(
        (404,),
        "Nothing of that name or id is in the project of the key.",
        "Check the name and the project of the key; list what there is.",
    ),
    "not_held": Kind((409,), "The job's weights are not held.", "Nothing: there is nothing to release."),
    "not_trainable": Kind(
        (409,), "The run was put by a client that trains it itself.", "Put it again under another id."
    ),
    "other_observation": Kind(
        (409,), "Another value of that target was observed at that step.", "The first one stands: see both."
    ),
    "other_report": Kind(
        (409,),
        "A report of this attempt, source and step is stored with other values, which stand.",
        "Give every source a name of its own, and open an attempt after a restart.",
    ),
    "other_result": Kind(
        (409,), "The run has another result, which stands.", "Train it again as a run of its own if need be."
    ),
    "other_run": Kind(
        (409,), "A run of that name was imported with other fields, which stand.", "Give it another name."
    ),
    "other_study": Kind(
        (409,), "A study of that name is stored, and is another one.", "Import it under another `name`."
    ),
    "out_of_memory": Kind(
        (),
        "A task needed more memory than it may.",
        "Use fewer runs or a simpler method, or raise the limit.",
    ),
    "own_project": Kind((409,), "The project is that of the key you show.", "Use a key of another project."),
    "part_failed": Kind(
        (503,),
        "A part of the process that works beside requests has ended, and is started again.",
        "Wait until it is ready; if it stays so, the log says why.",
    ),
    "precondition_required": Kind(
        (428,),
        "What cannot be brought back, or may have been edited by others, needs a sign that you have seen it.",
        "Repeat the name as `?confirm=`, or send the ETag as `If-Match`.",
    ),
    "project_exists": Kind((409,), "There is a project of that name.", "Choose another name."),
    "project_not_empty": Kind((409,), "The project has studies or jobs.", "Delete these first."),
    "quota_exceeded": Kind(
        (409,),
        "The project would have more than it may; `quota`, `limit` and `used` say of what.",
        "Delete what is not needed, or let whoever runs the service raise the limit.",
    ),
    "reports_forgotten": Kind(
        (409,), "Reports of the job were dropped after its end.", "Look at its versions and its audit trail."
    ),
    "runs_alike": Kind((422,), "The finished runs have too few mixtures.", "Finish runs of others."),
    "secret_told_once": Kind(
        (409,),
        "The key was made by this request before; its secret was told then and is not stored.",
        "If it did not reach you, revoke the key that `made` names, and ask again under another "
        "Idempotency-Key.",
    ),
    "stale_attempt": Kind(
        (409,),
        "A newer attempt of the job is open: this trainer is fenced.",
        "Stop it, or open an attempt of its own if it is the one that should go on.",
    ),
    "state": Kind((422,), "A stored state is of another class or version.", "Fit again, or start again."),
    "swarm_too_small": Kind((422,), "Too few runs are finished.", "Finish as many more as `detail` says."),
    "task_ended": Kind((409,), "The task is done or has failed.", "There is nothing to cancel any more."),
    "terminal": Kind(
        (409,),
        "The run or the job has ended: nothing more is taken for it.",
        "Stop sending for it. Make another one to go on.",
    ),
    "too_many_requests": Kind(
        (429,),
        "A key asks more often than it may, or an address shows bad keys too often.",
        "Wait for the seconds in `Retry-After`, and ask less often.",
    ),
    "too_many_waiters": Kind(
        (503,), "As many wait for schedules as this process lets wait.", "Poll, or ask another process."
    ),
    "unauthorised": Kind(
        (401,),
        "No valid key came with the request: it is missing, malformed, unknown, revoked or expired.",
        "Send one as `Authorization: Bearer mx_...`: see `mixwright key`.",
    ),
    "unavailable": Kind((503,), "The service cannot answer now.", _RETRY),
    "undeclared_source": Kind(
        (409,), "A report names a source that the job does not have.", "Use one of the job's `sources`."
    ),
    "unexpected": Kind((), "A task failed in a way that nobody expected.", "Ask for it again, or report it."),
    "unknown_attempt": Kind(
        (409,),
        "A report names an attempt of the job that was never opened.",
        "Open an attempt first, then report under its number.",
    ),
    "unknown_domain": Kind((422,), "There is no domain of that name.", "Use a name that `detail` lists."),
    "unknown_host": Kind(
        (421,), "The Host header is not one that is served here.", "Add it to MIXWRIGHT_ALLOWED_HOSTS."
    ),
    "unknown_method": Kind((422,), "There is no method of that name.", "Use a name that `detail` lists."),
    "unknown_target": Kind((422,), "There is no target of that name.", "Use a name that `detail` lists."),
    "unknown_version": Kind(
        (409, 422), "The job has no such version.", "List the versions to see which there are."
    ),
    "unreadable_body": Kind(
        (400,),
        "The body is no JSON document in UTF-8, or nests too deeply.",
        "Correct what `detail` says of it.",
    ),
    "unsupported_encoding": Kind((415,), "The body is compressed.", "Send it without compression."),
    "unsupported_media_type": Kind(
        (415,), "The body is of another kind.", "Send JSON, with `Content-Type: application/json`."
    ),
    "version_regressed": Kind(
        (409,),
        "A trainer follows a later version than the database knows: it was restored to an earlier point.",
        "Keep the schedule you have, and poll again: the job begins a new epoch.",
    ),
    "weights": Kind((422,), "The weights are not shares that sum to 1.", "Put them on the simplex."),
    "worker_lost": Kind(
        (), "The workers that took a task died, time and again.", "See their logs, then ask for it again."
    ),
}


_INTRODUCTION = f"""\
Every refusal and failure of the service is a problem document (RFC 9457) of the media type
`application/problem+json`. Programs decide by `code`. `detail` says what is wrong, with the values, and what
to do; `errors` lists the fields that are wrong; `request_id` is what to name when asking for help, and is in
the header `X-Request-Id` too. `type` leads to what is known of the code: a running service shows this page at
`{PAGE}`."""


def markdown() -> str:
    """The catalogue as the page of the documentation."""
    parts = [f"# Problems\n\n{_INTRODUCTION}\n"]
    for code, kind in sorted(KINDS.items()):
        parts.append(f"## {code}\n\n{kind.where} {kind.meaning}\n\n**What to do:** {kind.remedy}\n")
    return "\n".join(parts)
