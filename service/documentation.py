"""The OpenAPI document: as the framework makes it, with the problems and the keys as they really are."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field

from service import examples
from service.auth import PUBLIC_PATHS
from service.problem_details import MEDIA_TYPE, SCHEMA

# With a default response the framework leaves its own, of another shape than ours, out.
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Any other refusal or failure, as a problem document (RFC 9457).",
        "content": {MEDIA_TYPE: {"schema": SCHEMA}},
    }
}


TAGS = [
    {"name": "studies", "description": "One optimisation each: domains, targets, constraints."},
    {"name": "sweeps", "description": "Requests for proxy runs over designed or given mixtures."},
    {"name": "runs", "description": "Proxy runs: claimed by workers under a lease, finished, or imported."},
    {"name": "fits", "description": "Laws and regressors fitted to finished runs, and what they predict."},
    {"name": "proposals", "description": "Mixtures to train next, and how sure one can be of them."},
    {
        "name": "jobs",
        "description": "Live training jobs: schedules, reports and acknowledgements of trainers, orders of "
        "people, and what happened.",
    },
    {"name": "tasks", "description": "Work in the background: what waits, runs, or has failed."},
    {"name": "keys", "description": "API keys of the project: made, listed, replaced, revoked."},
    {"name": "projects", "description": "Tenants of the installation, each with keys, studies and jobs."},
    {"name": "audit", "description": "Who did what in the project, when and why."},
    {"name": "operations", "description": "What operators watch."},
    {"name": "health", "description": "Signs of life, without a key."},
]


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    loc: str = Field(description="Where it is: body, path or query, then the way to the field.")
    msg: str = Field(description="What is wrong with it.")
    type: str = Field(description="Machine-readable name of the kind of mistake.")


class Problem(BaseModel):
    """Why a request was refused or failed. Some codes bring further members."""

    type: str = Field(description="Address of what is known of the code.")
    title: str = Field(description="The kind of problem, in words.")
    status: int = Field(description="The HTTP status.")
    code: str = Field(description="Machine-readable name: what a program decides by.")
    detail: str = Field(description="What is wrong, with the values, and what to do.")
    request_id: str = Field(description="What to name when asking for help.")
    errors: list[FieldProblem] = Field(default=[], description="The fields that are wrong; the first 20.")


class Documented(FastAPI):
    """An application with such a document."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is not None:
            return self.openapi_schema
        document = super().openapi()
        examples.add(document)
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        components = document["components"]
        components["schemas"] |= {**problem.pop("$defs"), "Problem": problem}
        key = {"type": "http", "scheme": "bearer", "description": "An API key: see `mixwright key`."}
        components["securitySchemes"] = {"key": key}
        document["security"] = [{"key": []}]
        for path in PUBLIC_PATHS & document["paths"].keys():
            for operation in document["paths"][path].values():
                operation["security"] = []
        return document
