"""The four roles, and the protocol that custom ones follow."""

from pipeline.agents.base import Agent, Seat
from pipeline.agents.coding import CodingAgent
from pipeline.agents.formatting import FormattingAgent
from pipeline.agents.qa import QAAgent
from pipeline.agents.testing import TestingAgent

__all__ = ["Agent", "CodingAgent", "FormattingAgent", "QAAgent", "Seat", "TestingAgent"]
