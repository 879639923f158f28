"""The dashboard: server-rendered pages that call the same service functions as the API."""

from service.dashboard.install import DIRECT, install

__all__ = ["DIRECT", "install"]
