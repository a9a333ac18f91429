"""Attempting things of which each may fail, several at the same time; and what a failure says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar, cast

from entra_jit.graph import GraphError
from models.errors import EntraJitError

Result = TypeVar("Result")
Other = TypeVar("Other")
Item = TypeVar("Item")


async def attempt_all(work: Iterable[Awaitable[Result]]) -> list[Result]:
    """The results in order, once all have ended; raises the first failure, after everything was attempted."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


async def attempt_both(first: Awaitable[Result], second: Awaitable[Other]) -> tuple[Result, Other]:
    """Both results, once both have ended. Of two failures it raises the one that trying again does not mend."""
    results = await asyncio.gather(first, second, return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    if failures:
        raise min(failures, key=lambda failure: isinstance(failure, EntraJitError) and failure.is_transient)
    return cast("tuple[Result, Other]", tuple(results))


async def gather_bounded(most: int, work: Callable[[Item], Awaitable[Result]], items: Iterable[Item]) -> list[Result]:
    """What ``work`` makes of each item, in their order; of no more than ``most`` at the same time.

    Raises the first failure; the others go on.
    """
    places = asyncio.Semaphore(most)

    async def one(item: Item) -> Result:
        async with places:
            return await work(item)

    return await asyncio.gather(*map(one, items))


async def answered(call: Awaitable[Result]) -> Result | GraphError:
    """The directory's answer, or why there is none."""
    try:
        return await call
    except GraphError as error:
        return error


def describe_error(error: Exception) -> str:
    """The failure in its own words; its kind where it has none, as a ``TimeoutError``."""
    return str(error) or type(error).__name__
