"""HTTP calls to the service: one method a call, problems as exceptions.

`ServiceClient` blocks and raises; it is for workers, scripts and the command line. Inside a training loop
use `MixtureClient`, which does neither.
"""

import json
from functools import partial
from types import TracebackType
from typing import IO, Any
from urllib.parse import quote

import httpx

from mixclient.backoff import asked_seconds
from mixclient.errors import (
    NOT_A_PROBLEM,
    ConflictError,
    NotAuthorisedError,
    NotFoundError,
    ServiceError,
    ServiceUnreachableError,
)

_KINDS: dict[int, type[ServiceError]] = {
    401: NotAuthorisedError,
    403: NotAuthorisedError,
    404: NotFoundError,
    409: ConflictError,
}
_PAGE = 500  # items that a page asks for
_FILE_PART = 64 * 1024
_FILE_SECONDS = 600.0  # for a study with millions of observations
_LONGEST_DETAIL = 500  # characters of a foreign error page that are worth showing


class ServiceClient:
    """A connection to the service.

    Args:
        url: address of the service, such as `http://127.0.0.1:8321`.
        key: API key; sent in the Authorization header, never in an address.
        timeout: seconds to wait for an answer.
    """

    def __init__(self, url: str, key: str, *, timeout: float = 30.0) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key}", "User-Agent": "mixclient/0.1"},
            timeout=timeout,
            # A proxy of the environment has no business between a trainer and its service.
            trust_env=False,
        )

    def __enter__(self) -> "ServiceClient":  # noqa: PYI034 - typing.Self is not in Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        parameters: dict[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Make a call and return the decoded answer; None for an empty one.

        Raises:
            ServiceUnreachableError: no usable answer.
            ServiceError: the service said no.
        """
        response = self.send(method, path, body=body, parameters=parameters, timeout=timeout)
        return decoded(response) if response.content else None

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        parameters: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        timeout: float | None = None,
    ) -> httpx.Response:
        """Make a call and return the raw answer, once it is known not to be a problem."""
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        extra = dict(headers or {})
        if content is not None:
            extra["Content-Type"] = "application/json"
        try:
            response = self._http.request(
                method,
                path,
                content=content,
                params=parameters,
                headers=extra,
                timeout=self._http.timeout if timeout is None else timeout,
            )
        except (httpx.HTTPError, RuntimeError) as error:  # httpx's RuntimeError: closed by another thread
            raise ServiceUnreachableError(
                f"{method} {self.url}{path}: {type(error).__name__} {error}"
            ) from None
        if response.status_code >= 400:
            raise _problem(response)
        if not response.is_success and response.status_code != httpx.codes.NOT_MODIFIED:
            raise ServiceUnreachableError(
                f"{method} {self.url}{path}: status {response.status_code} leads to "
                f"{response.headers.get('Location', 'nowhere')!r}: give the address of the service itself"
            )
        return response

    def items(self, path: str, **filters: Any) -> list[dict[str, Any]]:
        """All items of a list, page by page.

        Args:
            path: of the list, such as `/v1/jobs`.
            filters: of the list; `limit` sets the size of its pages.
        """
        items: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.call("GET", path, parameters={"limit": _PAGE, **filters, **cursor})
            items += page["items"]
            if page["next"] is None:
                return items
            cursor = {"cursor": page["next"]}

    # Studies and their runs.

    def create_study(self, study: dict[str, Any]) -> dict[str, Any]:
        """Create a study, or get the equal one of that name."""
        return self._object("POST", "/v1/studies", study)

    def create_sweep(self, study_id: str, sweep: dict[str, Any]) -> dict[str, Any]:
        """Design a sweep, or give its mixtures, and queue its runs."""
        return self._object("POST", f"/v1/studies/{quote(study_id, safe='')}/sweeps", sweep)

    def sweep(self, sweep_id: str) -> dict[str, Any]:
        """A sweep with the number of its runs in each state."""
        return self._object("GET", f"/v1/sweeps/{quote(sweep_id, safe='')}")

    def runs(self, study_id: str, **filters: Any) -> list[dict[str, Any]]:
        """All runs of a study, page by page."""
        return self.items(f"/v1/studies/{quote(study_id, safe='')}/runs", **filters)

    def study(self, study_id: str) -> dict[str, Any]:
        """A study with its definition, complete with defaults."""
        return self._object("GET", f"/v1/studies/{quote(study_id, safe='')}")

    def import_runs(self, study_id: str, runs: list[dict[str, Any]], *, source: str = "") -> dict[str, Any]:
        """Store finished runs that were trained elsewhere; the same again is not an error."""
        body = {"runs": runs, "source": source}
        return self._object("POST", f"/v1/studies/{quote(study_id, safe='')}/runs", body)

    def export_study(self, study_id: str, file: IO[bytes], *, kind: str = "jsonl") -> None:
        """Write a study to a file: `jsonl` for an import elsewhere, `csv` for a table of its runs.

        Raises:
            ServiceUnreachableError: no usable answer; the file then holds a part.
            ServiceError: the service said no.
        """
        path = f"/v1/studies/{quote(study_id, safe='')}/export"
        try:
            with self._http.stream("GET", path, params={"format": kind}) as response:
                if not response.is_success:
                    response.read()
                    raise _problem(response)
                for part in response.iter_bytes():
                    file.write(part)
        except (httpx.HTTPError, RuntimeError) as error:
            raise ServiceUnreachableError(f"GET {self.url}{path}: {type(error).__name__} {error}") from None

    def import_study(self, file: IO[bytes], *, name: str | None = None) -> dict[str, Any]:
        """Store the study of such a file, under its name or another; the very same again is not an error."""
        headers = {"Content-Type": "application/x-ndjson"}
        parameters = {} if name is None else {"name": name}
        try:
            response = self._http.post(
                "/v1/studies/import",
                content=iter(partial(file.read, _FILE_PART), b""),
                params=parameters,
                headers=headers,
                timeout=_FILE_SECONDS,
            )
        except (httpx.HTTPError, RuntimeError) as error:
            raise ServiceUnreachableError(
                f"POST {self.url}/v1/studies/import: {type(error).__name__} {error}"
            ) from None
        if not response.is_success:
            raise _problem(response)
        study: dict[str, Any] = decoded(response)
        return study

    def claim_run(
        self, worker: str, *, study: str | None = None, corpora: list[str] | None = None
    ) -> dict[str, Any] | None:
        """Lease the next pending run; None if there is none."""
        body = {"worker": worker, "study": study, "corpora": corpora}
        answer = self.call("POST", "/v1/runs/claim", body=body)
        return answer if answer is None else dict(answer)

    def heartbeat(self, run_id: str, lease: str, progress: float) -> dict[str, Any]:
        """Renew a lease and say how far the run is, from 0 to 1."""
        return self._object("PUT", f"/v1/runs/{run_id}/heartbeat", {"lease": lease, "progress": progress})

    def observe(self, run_id: str, lease: str | None, observations: list[dict[str, Any]]) -> dict[str, Any]:
        """Store values of targets at steps; the same again is not an error."""
        body = {"lease": lease, "observations": observations}
        return self._object("POST", f"/v1/runs/{run_id}/observations", body)

    def put_result(self, run_id: str, result: dict[str, Any]) -> dict[str, Any]:
        """Store the result of a run; the same again is not an error."""
        return self._object("PUT", f"/v1/runs/{run_id}/result", result)

    def put_failure(self, run_id: str, lease: str, reason: str) -> dict[str, Any]:
        """Say that a run cannot be finished, and why."""
        return self._object("PUT", f"/v1/runs/{run_id}/failure", {"lease": lease, "reason": reason})

    def create_fit(self, study_id: str, fit: dict[str, Any]) -> dict[str, Any]:
        """Start a fit in the background."""
        return self._object("POST", f"/v1/studies/{quote(study_id, safe='')}/fits", fit)

    def fit(self, fit_id: str, *, wait: int = 0) -> dict[str, Any]:
        """A fit with its scores, once it is done.

        Args:
            fit_id: the fit.
            wait: seconds for which the service holds its answer until the fit has ended; at most 55.
        """
        return self._awaited(f"/v1/fits/{quote(fit_id, safe='')}", wait)

    def cancel_fit(self, fit_id: str) -> dict[str, Any]:
        """Let a fit go that is not done yet; again is not an error."""
        return self._object("POST", f"/v1/fits/{quote(fit_id, safe='')}/cancel")

    def predict(
        self, fit_id: str, mixtures: list[dict[str, float]], *, at: dict[str, int] | None = None
    ) -> list[dict[str, Any]]:
        """What a finished fit says of each mixture, in their order.

        Args:
            fit_id: the fit.
            mixtures: shares of every domain; at most 10,000 mixtures a call.
            at: another scale, as `model_parameters` or `tokens`, for laws that know it.
        """
        body = {"mixtures": mixtures, "at": at}
        answer = self._object("POST", f"/v1/fits/{quote(fit_id, safe='')}/predict", body)
        predictions: list[dict[str, Any]] = answer["predictions"]
        return predictions

    def create_proposal(self, study_id: str, proposal: dict[str, Any]) -> dict[str, Any]:
        """Start a proposal in the background."""
        return self._object("POST", f"/v1/studies/{quote(study_id, safe='')}/proposals", proposal)

    def proposal(self, proposal_id: str, *, wait: int = 0) -> dict[str, Any]:
        """A proposal with its mixtures, once it is done; `wait` is that of `fit`."""
        return self._awaited(f"/v1/proposals/{quote(proposal_id, safe='')}", wait)

    def cancel_proposal(self, proposal_id: str) -> dict[str, Any]:
        """Let a search go that is not done yet; again is not an error."""
        return self._object("POST", f"/v1/proposals/{quote(proposal_id, safe='')}/cancel")

    def tasks(self) -> list[dict[str, Any]]:
        """Work in the background that waits, runs or failed, newest first."""
        return self.items("/v1/tasks")

    # Jobs.

    def create_job(self, job: dict[str, Any]) -> dict[str, Any]:
        """Create a live job, or get the equal one of that name."""
        return self._object("POST", "/v1/jobs", job)

    def job(self, name: str) -> dict[str, Any]:
        """A job with its counters."""
        return self._object("GET", f"/v1/jobs/{quote(name, safe='')}")

    def versions(self, name: str) -> list[dict[str, Any]]:
        """Every version of a job's schedule, with what became of it."""
        return self.items(f"/v1/jobs/{quote(name, safe='')}/versions")

    def open_attempt(self, name: str, from_step: int, *, state_token: str | None = None) -> dict[str, Any]:
        """Restart a job from a checkpoint."""
        body = {"from_step": from_step} | ({"state_token": state_token} if state_token else {})
        return self._object("POST", f"/v1/jobs/{quote(name, safe='')}/attempts", body)

    def _awaited(self, path: str, seconds: int) -> dict[str, Any]:
        if seconds <= 0:
            return self._object("GET", path)
        patience = self._timeout + seconds
        answer: dict[str, Any] = decoded(
            self.send("GET", path, headers={"Prefer": f"wait={seconds}"}, timeout=patience)
        )
        return answer

    def _object(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self.call(method, path, body=body)
        if not isinstance(answer, dict):
            raise ServiceUnreachableError(
                f"{method} {path}: the answer is not an object: is {self.url} the service?"
            )
        return answer


def decoded(response: httpx.Response) -> Any:
    """The JSON of an answer.

    Raises:
        ServiceUnreachableError: it is not JSON, such as the page of a proxy in between.
    """
    try:
        return response.json()
    except (ValueError, RecursionError):
        start = response.text[:80]
        raise ServiceUnreachableError(
            f"{response.request.url}: the answer is not JSON but {start!r}"
        ) from None


def _problem(response: httpx.Response) -> ServiceError:
    try:
        document = response.json()
        code, detail = str(document["code"]), str(document["detail"])
    except (ValueError, KeyError, TypeError, RecursionError):
        document, code, detail = {}, NOT_A_PROBLEM, response.text[:_LONGEST_DETAIL]
    kind = _KINDS.get(response.status_code, ServiceError)
    problem = kind(response.status_code, code, detail, document)
    problem.retry_after = asked_seconds(response.headers.get("Retry-After"), response.headers.get("Date"))
    return problem
