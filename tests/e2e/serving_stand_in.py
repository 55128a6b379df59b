"""`acp serve` whose worker executes runs of plain steps: `PROGRAM [worker --attached]`.

Each run makes ten steps, 0.2 s apart, and notes each of them in its log; with "long" in its title,
a thousand.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass

from bot.bootstrap import github_app, learn_identity
from bot.domain.runs import Outcome, RunStatus
from bot.domain.store import Ending, Store
from bot.entrypoints.cli_serve import serve
from bot.entrypoints.logs import set_up_logs
from bot.entrypoints.worker import Parts, main
from bot.settings import Settings

STEPS = 10


@dataclass(frozen=True)
class Steps:
    store: Store
    worker: str
    others = ()

    async def execute(self, run_id: str) -> None:
        epoch = await asyncio.to_thread(self.store.begin, run_id, self.worker)
        outcome: Outcome = "completed"
        try:
            await self.make(run_id, epoch)
        except asyncio.CancelledError:
            run = self.store.run(run_id)
            if run is None or not run.cancel_requested:
                raise
            outcome = "cancelled"
        self.store.move(run_id, epoch, RunStatus.FINISHED, Ending(outcome))

    async def make(self, run_id: str, epoch: int) -> None:
        run = self.store.run(run_id)
        steps = 1000 if run is not None and "long" in run.request.text.title else STEPS
        for step in range(len(self.store.events(run_id)), steps):
            await asyncio.sleep(0.2)
            self.store.append(run_id, epoch, "step", {"step": step}, key=f"step-{step}")

    async def answer(self) -> None:
        return

    async def close(self) -> None:
        return


async def build(settings: Settings, store: Store, worker: str) -> Parts:
    app = github_app(settings, lambda _: None)
    await learn_identity(settings, app)
    await app.aclose()
    return Steps(store, worker)


if __name__ == "__main__":
    loaded = Settings.load()
    set_up_logs(loaded)
    if sys.argv[1:2] == ["worker"]:
        sys.exit(main(loaded, build, attached=True))
    sys.exit(serve(loaded, (sys.executable, __file__, "worker")))
