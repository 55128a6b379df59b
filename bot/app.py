"""The service for any ASGI server: `uvicorn bot.app:app`. It starts a worker process of its own.

ACP_WORKERS=0 leaves that to an `acp worker` that runs elsewhere.
"""

from bot.entrypoints.http.application import application
from bot.entrypoints.http.service import Service
from bot.entrypoints.http.supervisor import Supervisor
from bot.entrypoints.logs import set_up_logs
from bot.settings import Settings

_settings = Settings.load()
set_up_logs(_settings)
_service = Service(_settings, Supervisor())
_service.announce()
app = application(_service)
