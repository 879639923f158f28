"""Keys, projects, the audit trail, and how the service is."""

from mixclient.documents.audit import AuditEntryOut
from mixclient.documents.health import HealthOut
from mixclient.documents.keys import KeyIn, KeyOut, RotationIn
from mixclient.documents.projects import NewProjectOut, ProjectOut
from mixclient.documents.shared import NewKeyOut
from mixclient.service.answers import nothing, text
from mixclient.service.call import PAGE, Call
from mixclient.service.operation import listing, operation


class Administration:
    """What a client can do with keys and projects, and learn of the service."""

    @operation("POST", "/v1/keys", keyed=True)
    def create_key(self, key: KeyIn) -> Call[NewKeyOut]:
        """Make a key; its secret is in this answer and nowhere else."""
        return Call(body=key)

    @listing("/v1/keys")
    def keys(self, *, limit: int = PAGE) -> Call[KeyOut]:
        """All keys of the project, without their secrets."""
        return Call(query={"limit": limit})

    @operation("POST", "/v1/keys/{key_id}/rotate", keyed=True)
    def rotate_key(self, key_id: str, rotation: RotationIn | None = None) -> Call[NewKeyOut]:
        """Make a key that takes the place of another, which goes on for a while."""
        return Call({"key_id": key_id}, body=rotation or {})

    @operation("DELETE", "/v1/keys/{key_id}")
    def revoke_key(self, key_id: str, *, reason: str = "") -> Call[None]:
        """Take a key out of use, at once and for ever."""
        return Call({"key_id": key_id}, query={"reason": reason}, read=nothing)

    @operation("POST", "/v1/projects", keyed=True)
    def create_project(self, name: str) -> Call[NewProjectOut]:
        """Make a project and its first key, whose secret is in this answer and nowhere else."""
        return Call(body={"name": name})

    @listing("/v1/projects")
    def projects(self, *, limit: int = PAGE) -> Call[ProjectOut]:
        """All projects of the installation."""
        return Call(query={"limit": limit})

    @operation("PATCH", "/v1/projects/{project_id}")
    def rename_project(self, project_id: str, name: str, *, reason: str = "") -> Call[ProjectOut]:
        """Give a project another name."""
        return Call({"project_id": project_id}, body={"name": name, "reason": reason})

    @operation("DELETE", "/v1/projects/{project_id}")
    def delete_project(self, project_id: str, *, reason: str = "") -> Call[None]:
        """Delete a project that holds nothing, with its keys."""
        return Call({"project_id": project_id}, query={"reason": reason}, read=nothing)

    @listing("/v1/audit")
    def audit(
        self,
        *,
        actor: str | None = None,
        kind: str | None = None,
        since: str | None = None,
        until: str | None = None,
        limit: int = PAGE,
    ) -> Call[AuditEntryOut]:
        """Who did what in the project, newest first.

        Args:
            actor: only what this one did.
            kind: only this kind; `key` or `job` for all that begin so.
            since: only from this time on, in ISO 8601 with its offset.
            until: only before this time, written alike.
            limit: most items of a page.
        """
        query = {"actor": actor, "kind": kind, "since": since, "until": until, "limit": limit}
        return Call(query=query)

    @operation("GET", "/readyz")
    def ready(self) -> Call[HealthOut]:
        """Whether the service can do its work; refused with 503 if not."""
        return Call()

    @operation("GET", "/livez")
    def live(self) -> Call[HealthOut]:
        """Whether its process answers."""
        return Call()

    @operation("GET", "/metrics")
    def metrics(self) -> Call[str]:
        """Its metrics, as Prometheus reads them."""
        return Call(read=text)
