"""What a process of ours has in memory when it begins its work, loaded once so that many can be copied from it."""

from __future__ import annotations

import os

os.environ["COLUMNS"] = "120"  # read when the command line is imported

import importlib
import pkgutil

import anyio.streams.tls
import h2.connection
import httpcore
from temporalio.worker._worker import load_default_build_id

import entra_jit.cli.views
import entra_jit.operations
import starter
from tests.end_to_end import dying_worker

LOADED = (anyio, h2, httpcore, starter, dying_worker)

# Commands import these when they are called.
for package in (entra_jit.cli.views, entra_jit.operations):
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)

load_default_build_id()  # a second's work, and the same for every copy
