"""Tables of the service, one ORM class a file."""

from service.models.api_key import ApiKey
from service.models.attempt import Attempt
from service.models.audit_entry import AuditEntry, AuditKind
from service.models.base import Base
from service.models.browser_session import BrowserSession
from service.models.domain_set import DomainSetVersion
from service.models.expensive_step import ExpensiveStep
from service.models.fit import Fit
from service.models.installation_secret import InstallationSecret
from service.models.job import Job
from service.models.job_event import JobEvent
from service.models.job_refusal import JobRefusal
from service.models.job_snapshot import JobSnapshot
from service.models.kept_answer import KeptAnswer
from service.models.observation import Observation
from service.models.project import Project
from service.models.proposal import ProposalRequest
from service.models.proxy_run import ProxyRun, RunState
from service.models.report import Report
from service.models.schedule_stage import ScheduleStage
from service.models.study import Study
from service.models.sweep import Sweep
from service.models.task import TaskState

__all__ = [
    "ApiKey",
    "Attempt",
    "AuditEntry",
    "AuditKind",
    "Base",
    "BrowserSession",
    "DomainSetVersion",
    "ExpensiveStep",
    "Fit",
    "InstallationSecret",
    "Job",
    "JobEvent",
    "JobRefusal",
    "JobSnapshot",
    "KeptAnswer",
    "Observation",
    "Project",
    "ProposalRequest",
    "ProxyRun",
    "Report",
    "RunState",
    "ScheduleStage",
    "Study",
    "Sweep",
    "TaskState",
]
