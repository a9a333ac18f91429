"""The hosts at which Microsoft serves Graph and sign-in, its national clouds included. Nothing else is production."""

from __future__ import annotations

from urllib.parse import urlsplit

MICROSOFT_GRAPH_HOSTS = frozenset(
    {
        "graph.microsoft.com",
        "graph.microsoft.us",
        "dod-graph.microsoft.us",
        "microsoftgraph.chinacloudapi.cn",
    }
)
MICROSOFT_LOGIN_HOSTS = frozenset(
    {"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"}
)


def check_hosts(graph: tuple[str, str], login: tuple[str, str], *, is_sandbox: bool, permitted_by: str) -> None:
    """Raise ``ValueError`` where one of the two, name and address, is not https or is a host that may not be reached.

    ``is_sandbox``: a simulated tenant is permitted, by the setting ``permitted_by``.
    """
    for (name, url), hosts in ((graph, MICROSOFT_GRAPH_HOSTS), (login, MICROSOFT_LOGIN_HOSTS)):
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise ValueError(f"{name} must be an https address")
        if not is_sandbox and parts.hostname not in hosts:
            raise ValueError(f"{name} names a host that is not Microsoft's. A simulated tenant needs {permitted_by}")
