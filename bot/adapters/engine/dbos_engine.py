"""DBOS as the engine: it queues, dispatches, recovers and cancels; it keeps no result of ours.

One workflow with one preemptible step for each execution. What a run has done so far is in our
own tables, so the workflow never changes and its version is constant.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetEnqueueOptions, SetWorkflowID

from bot.adapters.engine.dbos_log import quieten
from bot.adapters.engine.dbos_sqlite import connect
from bot.adapters.engine.executions import Executions
from bot.adapters.engine.worker_lock import WorkerLock
from bot.domain.engine import Die, Execute
from bot.domain.store import StoreUnavailable

_QUEUE = "runs"
_POLL_S = 0.25
_RECOVERIES = 5
_PRUNED_AT_ONCE = 200
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_UNFINISHED = ["ENQUEUED", "PENDING", "DELAYED"]


class DbosEngine:
    """Implements `Engine`. One at a time in a process: DBOS is a singleton.

    `url` names DBOS's own database, SQLAlchemy's way: a second SQLite file beside ours, or a
    PostgreSQL database. `concurrency` is how many runs this process executes at once.
    """

    def __init__(self, execute: Execute, die: Die, *, url: str, concurrency: int = 4) -> None:
        self._executions = Executions(execute, die)
        self._die = die
        self._url = sa.make_url(url)
        self._concurrency = concurrency
        self._lock: WorkerLock | None = None
        self._database: sa.Engine | None = None
        self._run: Callable[[str], Coroutine[Any, Any, None]] = self._executions.run
        self._open = False

    async def start(self) -> None:
        """Take up what a dead predecessor left, then accept work.

        Raises Misconfigured, StoreUnavailable.
        """
        if self._url.get_backend_name() == "sqlite":
            self._lock = WorkerLock(Path(f"{self._url.database}.lock"))
            self._lock.take()
            self._database = connect(self._url, self._die)
        quieten()
        DBOS(config=self._config())
        self._register()
        self._open = True
        with _translated():
            # On this thread, so that DBOS runs our coroutines on this loop.
            DBOS.launch()
            await DBOS.register_queue_async(
                _QUEUE,
                worker_concurrency=self._concurrency,
                polling_interval_sec=_POLL_S,
                on_conflict="always_update",
            )

    async def submit(self, run_id: str) -> None:
        """See that the run is executed."""
        if run_id in self._executions:
            return
        once = SetEnqueueOptions(deduplication_id=run_id, duplication_policy="return-existing")
        with _translated(), SetWorkflowID(f"{run_id}:{uuid4().hex}"), once:
            await DBOS.enqueue_workflow_async(_QUEUE, self._run, run_id)

    async def cancel(self, run_id: str) -> None:
        """Stop the execution of a run; in this process at once, in another within 1.2 seconds."""
        with _translated():
            found = await DBOS.list_workflows_async(
                workflow_id_prefix=f"{run_id}:",
                status=_UNFINISHED,
                load_input=False,
                load_output=False,
            )
            if found:
                await DBOS.cancel_workflows_async([one.workflow_id for one in found])
        self._executions.cancel(run_id)

    async def prune(self, before: float) -> None:
        """Forget executions that ended before a moment: our own tables tell of the runs."""
        until = datetime.fromtimestamp(before, UTC).isoformat()
        with _translated():
            while old := await DBOS.list_workflows_async(
                status=_ENDED,
                completed_before=until,
                limit=_PRUNED_AT_ONCE,
                load_input=False,
                load_output=False,
            ):
                await DBOS.delete_workflows_async([one.workflow_id for one in old])

    async def close(self) -> None:
        """Stop every execution and leave it to the next start. Idempotent."""
        await self._executions.close()
        if self._open:
            self._open = False
            await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
            # DBOS made its own pool the loop's, and has just shut it down.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        if self._database is not None:
            self._database.dispose()
        if self._lock is not None:
            self._lock.release()

    def _register(self) -> None:
        @DBOS.step(name="execute", preemptible=True)
        async def execute(run_id: str) -> None:
            await self._executions.run(run_id)

        @DBOS.workflow(name="run", max_recovery_attempts=_RECOVERIES)
        async def run(run_id: str) -> None:
            await execute(run_id)

        self._run = run

    def _config(self) -> DBOSConfig:
        config = DBOSConfig(
            name="acp",
            system_database_url=self._url.render_as_string(hide_password=False),
            application_version="1",
            # The lock makes one name safe on SQLite: a restart finds its own runs by it.
            executor_id="worker" if self._lock else f"{socket.gethostname()}-{uuid4().hex[:8]}",
            serializer=DBOSPortableJSONSerializer(),
            log_level="WARNING",
        )
        if self._database is not None:
            config["system_database_engine"] = self._database
        return config


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        raise StoreUnavailable(f"the engine's database refused: {error}") from error
