"""Processes of our own, copied from one that has imported everything: a fresh interpreter imports for seconds."""

from __future__ import annotations

import multiprocessing

copied = multiprocessing.get_context("forkserver")
copied.set_forkserver_preload(["tests.process_to_copy"])
