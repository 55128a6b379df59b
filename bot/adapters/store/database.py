"""Transactions: one for reading, one for writing, and one kind of error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import sqlalchemy as sa

from bot.adapters.store import dialect
from bot.domain.store import StoreUnavailable

T = TypeVar("T")
_RACES = 5


class Database:
    """Hands out transactions. Raises StoreUnavailable for whatever the database refuses."""

    def __init__(self, url: str, *, wait_s: float) -> None:
        self.engine = dialect.connect(url, wait_s=wait_s)
        self._writer = self.engine.execution_options(**{dialect.WRITES: True})
        self._turns = dialect.Turns(self.engine, wait_s)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that only reads."""
        with _translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that writes; on SQLite it holds the write lock from the start."""
        with _translated(), self._turns.turn(), self._writer.begin() as connection:
            yield connection

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """One writing transaction; where another process won a race for a key, once more."""
        for _ in range(_RACES):
            with suppress(sa.exc.IntegrityError), self.writing() as connection:
                return work(connection)
        raise StoreUnavailable("the database keeps refusing a write that others made first")

    def close(self) -> None:
        """Give connections back."""
        self.engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sa.exc.IntegrityError:
        raise
    except (sa.exc.DBAPIError, sa.exc.TimeoutError, TimeoutError) as error:
        raise StoreUnavailable(f"the database refused: {_short(error)}") from error


def _short(error: BaseException) -> str:
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    return str(cause).strip().partition("\n")[0]
