"""The simulated tenant as a child process. Only its announcement is known here, nothing of its code."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from entra_jit.local_stack.addresses import program_environment
from entra_jit.local_stack.child import Child, StackError


class Announcement(BaseModel):
    """What the sandbox writes to ``sandbox.json`` once it serves."""

    model_config = ConfigDict(frozen=True)

    pid: int
    graph_url: str
    login_url: str
    control_url: str
    ca_file: Path


class Sandbox:
    """The sandbox, whose directory contents and certificate authority lie in ``state_dir/sandbox``."""

    def __init__(self, state_dir: Path, program: tuple[str, ...]) -> None:
        self.child = Child("sandbox", state_dir)
        self._state_dir = state_dir / "sandbox"
        self._program = program
        self._announcement: Announcement | None = None

    @property
    def announcement(self) -> Announcement:
        """Its addresses. Raises StackError before the first ``start``."""
        if self._announcement is None:
            raise StackError("the sandbox has not been started")
        return self._announcement

    async def start(self, *, port: int) -> None:
        """Start it on ``port`` of 127.0.0.1 and wait for its announcement. Raises StackError."""
        command: list[str | Path] = [*self._program, "--state-dir", self._state_dir, "--port", str(port)]
        await self.child.start(command, program_environment(), ready=self._has_announced)

    async def stop(self) -> None:
        """Stop it. Idempotent."""
        await self.child.stop(grace_seconds=5)

    async def _has_announced(self, pid: int) -> bool:
        try:
            said = Announcement.model_validate_json((self._state_dir / "sandbox.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return False
        if said.pid != pid:  # an earlier run said it
            return False
        self._announcement = said
        return True
