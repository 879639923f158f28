"""Studies, the domain sets that they share, and studies as files."""

from typing import IO, Literal

from mixclient.documents.studies import DomainSetIn, DomainSetOut, StudyIn, StudyNotes, StudyOut
from mixclient.service.answers import Tagged, nothing, tagged
from mixclient.service.call import PAGE, Call
from mixclient.service.operation import listing, operation

_FILE_SECONDS = 600.0  # for a study with millions of observations


class Studies:
    """What a client can do with studies."""

    @operation("POST", "/v1/studies", keyed=True)
    def create_study(self, study: StudyIn) -> Call[StudyOut]:
        """Create a study, or get the equal one of that name."""
        return Call(body=study)

    @listing("/v1/studies")
    def studies(self, *, counts: bool = False, limit: int = PAGE) -> Call[StudyOut]:
        """All studies, newest first; with the number of their runs in each state if `counts`."""
        return Call(query={"counts": counts, "limit": limit})

    @operation("GET", "/v1/studies/{study}")
    def study(self, study: str) -> Call[StudyOut]:
        """A study with its definition, complete with defaults."""
        return Call({"study": study})

    @operation("DELETE", "/v1/studies/{study}")
    def delete_study(self, study: str, *, confirm: str, force: bool = False) -> Call[None]:
        """Delete a study with its sweeps, runs, fits and proposals; nothing brings it back.

        Args:
            study: its name.
            confirm: its name once more.
            force: delete it even if workers train its runs.
        """
        return Call({"study": study}, query={"confirm": confirm, "force": force}, read=nothing)

    @operation("GET", "/v1/studies/{study}/notes")
    def study_notes(self, study: str) -> Call[Tagged[StudyNotes]]:
        """The notes of a study, Markdown, with the tag that `put_study_notes` takes."""
        return Call({"study": study}, read=tagged)

    @operation("PUT", "/v1/studies/{study}/notes")
    def put_study_notes(
        self, study: str, notes: StudyNotes, *, if_match: str | None = None
    ) -> Call[StudyNotes]:
        """Replace the notes of a study.

        Args:
            study: its name.
            notes: what shall stand there.
            if_match: tag of the notes that were read; refused with 412 if they have changed since.
        """
        # Sent twice, the second would find the notes changed: by the first.
        headers, repeatable = {"If-Match": if_match}, if_match is None
        return Call({"study": study}, body=notes, headers=headers, repeatable=repeatable)

    @operation("POST", "/v1/domain-sets", keyed=True)
    def create_domain_set(self, domain_set: DomainSetIn) -> Call[DomainSetOut]:
        """Create a set of domains, or its next version; the equal one that is there, if it is the last."""
        return Call(body=domain_set)

    @listing("/v1/domain-sets")
    def domain_sets(self, *, name: str | None = None, limit: int = PAGE) -> Call[DomainSetOut]:
        """All versions of all sets of domains, or of one, newest first."""
        return Call(query={"name": name, "limit": limit})

    @operation("GET", "/v1/domain-sets/{name}")
    def domain_set(self, name: str, *, version: int | None = None) -> Call[DomainSetOut]:
        """A set of domains; its newest version, if none is named."""
        return Call({"name": name}, query={"version": version})

    @operation("GET", "/v1/studies/{study}/export")
    def export_study(
        self, study: str, file: IO[bytes], *, kind: Literal["jsonl", "csv"] = "jsonl"
    ) -> Call[None]:
        """Write a study to a file: `jsonl` for an import elsewhere, `csv` for a table of its runs.

        Raises:
            ServiceUnreachableError: no usable answer; the file then holds a part.
            ServiceError: the service said no.
        """
        return Call({"study": study}, query={"format": kind}, sink=file, read=nothing)

    @operation("POST", "/v1/studies/import", keyed=True)
    def import_study(self, file: IO[bytes], *, name: str | None = None) -> Call[StudyOut]:
        """Store the study of such a file, under its name or another; the very same again is not an error."""
        headers = {"Content-Type": "application/x-ndjson"}
        return Call(query={"name": name}, headers=headers, source=file, timeout=_FILE_SECONDS)
