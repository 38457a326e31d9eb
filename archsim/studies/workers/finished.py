"""Send tasks to a pool, no more at a time than it can use, and yield what comes back as it comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, replace
from typing import Any

from archsim.base.errors import ArchsimError, InputError, SystemFault
from archsim.studies.workers.perform import Answer, here, packed, perform, versions
from archsim.studies.workers.pool import Pool

Task = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function of a module, and its arguments: both are pickled."""
TRIES = 2
"""A task whose worker died is done again once: the worker may have been ended for another's sake."""
_CHECK_S = 2.0
"""How often a pool is asked whether anything can still come of it."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of a task.

    Parameters
    ----------
    name : str
    value : what its function returned
    error : what it raised instead, or SystemFault if its worker died at each try
    seconds : that it took where it was done
    by : HOST:PID of the worker
    tries : how often it was sent
    """

    name: str
    value: Any = None
    error: Exception | None = None
    seconds: float = 0.0
    by: str = ""
    tries: int = 1

    def result(self) -> Any:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value


@dataclass(frozen=True, slots=True)
class _Sent:
    name: str
    task: bytes
    tries: int = 1


def finished(
    tasks: Iterable[tuple[str, Task]], pool: Pool, *, stop: Callable[[], bool] | None = None
) -> Iterator[Finished]:
    """Yield what came of each task, each once, in the order in which they are done.

    Tasks are asked for as they can be sent, and the next one is sent before a result is yielded. Whoever stops
    listening, by an error or Ctrl-C, takes back what is not begun; the pool's end ends the rest.

    Parameters
    ----------
    tasks : name -> function and arguments, as `dict.items` or a generator gives them
    pool : Pool
    stop : callable, optional
        Asked every few seconds; True ends it, with what is not done.

    Raises
    ------
    InputError
        If workers are of another version.
    SystemFault
        If the pool is gone.
    """
    coming = iter(tasks)
    sent: dict[Future[Answer], _Sent] = {}

    def send(one: _Sent) -> None:
        sent[pool.submit(perform, versions(), here(), one.task)] = one

    def refill() -> None:
        room = pool.ahead()
        while len(sent) < room and (task := next(coming, None)):
            send(_Sent(task[0], packed(*task[1])))

    try:
        refill()
        while sent and not (stop and stop()):
            done, _ = wait(sent, timeout=_CHECK_S, return_when=FIRST_COMPLETED)
            if not done:
                pool.check()
            came, alone = [], len(sent) == 1
            for future in done:
                one = sent.pop(future)
                found = _judged(one, future, pool, alone=alone)
                if found is None:
                    send(replace(one, tries=one.tries + 1))
                else:
                    came.append(found)
            refill()
            yield from came
    finally:
        for future in sent:
            future.cancel()


def _judged(one: _Sent, future: Future[Answer], pool: Pool, *, alone: bool) -> Finished | None:
    """Return what came of a task, or None if its worker died and it is to be done again.

    `alone` says that there was no other: where a whole pool has died, it was of this one.
    """
    try:
        answer = future.result()
    except pool.lost as error:
        if one.tries < TRIES and pool.again:
            return None
        if pool.mortal and not alone:
            raise SystemFault(f"{pool.name}: the last worker died, killed, or out of memory; {_KEPT}") from error
        often = f"{TRIES} times" if pool.again else f"as often as {pool.name} sends a task again"
        fault = SystemFault(f"its worker process died, {often}: killed, or out of memory")
        fault.__cause__ = error
        return Finished(one.name, error=fault, tries=one.tries)
    except CancelledError as error:
        pool.check()
        raise SystemFault(f"{pool.name} gave up a task; {_KEPT}") from error
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"{pool.name} cannot load this archsim ({error})", key="--on", expected=_named(versions())
        ) from error
    except ArchsimError:
        raise
    except Exception as error:  # noqa: BLE001  such as a value that cannot be sent
        return Finished(one.name, error=error, tries=one.tries)
    if unlike := answer.get("unlike"):
        has = ", ".join(f"{name} {own}" for name, (own, _) in unlike.items())
        raise InputError(
            f"{answer['by']} of {pool.name} has {has}", key="--on",
            expected=f"{_named({name: is_ for name, (_, is_) in unlike.items()})}, as here, for the same bits",
        )  # fmt: skip
    return Finished(
        one.name, answer.get("value"), answer.get("error"), answer["seconds"], answer["by"], one.tries
    )  # fmt: skip


_KEPT = "what was finished is kept, the same command goes on with the rest"


def _named(told: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in told.items())
