"""The three vendors' model APIs, answering from a script."""

from bot.emulators.models.server import ModelServer
from bot.emulators.models.stage import Incoming, Stage

__all__ = ["Incoming", "ModelServer", "Stage"]
