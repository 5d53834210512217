"""The pages of a process: `/metrics`, `/healthz` and `/readyz`, on loopback unless the settings say otherwise.

They have a thread and an event loop of their own, so that they answer while the worker loads, waits for brokers, or does
not answer for itself. A connection serves one request and lives ten seconds at most.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final, Self

from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder

from streams.metrics.collector import Collector
from streams.metrics.views import WorkerView
from streams.settings import Settings

log = logging.getLogger(__name__)

CONNECTION_S: Final = 10.0
"""How long a connection may live, whatever it does."""
START_S: Final = 10.0


class Pages:
    """A worker's pages; a context manager, or `start` and `stop`. ``url`` is where they are, once started."""

    def __init__(self, settings: Settings, view: WorkerView, *, bounds: Sequence[float]) -> None:
        """Take what is shown; ``bounds`` are those of the worker's latency buckets."""
        self.url = ""
        self._host, self._port = settings.metrics_host, settings.metrics_port
        self._token = settings.metrics_token.reveal()
        self._view = view
        self._registry = CollectorRegistry()
        self._registry.register(Collector(view, bounds))
        ProcessCollector(registry=self._registry)
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="pages", daemon=True)
        self._started: Future[str] = Future()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to answer. Raises OSError when the address cannot be listened on."""
        self._thread.start()
        self.url = self._started.result(START_S)
        if not self._token and not _loopback(self._host):
            log.warning("anybody who reaches %s can read the metrics: set metrics_token, or keep others out", self.url)

    def stop(self) -> None:
        """Answer no more."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(START_S)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except OSError as error:
            self._started.set_exception(error)
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        application = web.Application()
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/healthz", self._health)
        application.router.add_get("/readyz", self._readiness)
        runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            listener = await self._loop.create_server(self._connections(runner), self._host, self._port)
            host, port = listener.sockets[0].getsockname()[:2]
            self._started.set_result(f"http://{f'[{host}]' if ':' in host else host}:{port}")
            await self._stopping.wait()
            listener.close()
        finally:
            await runner.cleanup()

    def _connections(self, runner: web.AppRunner) -> Callable[[], Any]:
        """Return what makes a connection, with its end already set."""

        def connection() -> Any:
            assert runner.server is not None
            handler = runner.server()
            self._loop.call_later(CONNECTION_S, handler.force_close)
            return handler

        return connection

    async def _metrics(self, request: web.Request) -> web.Response:
        """Answer with all metrics, in the format asked for."""
        if not self._trusts(request):
            return _answer(web.Response(status=401, text="a token is needed\n", headers={"WWW-Authenticate": "Bearer"}))
        encode, content_type = choose_encoder(request.headers.get(hdrs.ACCEPT, ""))
        response = web.Response(body=encode(self._registry), headers={hdrs.CONTENT_TYPE: content_type})
        response.enable_compression()
        return _answer(response)

    async def _health(self, _: web.Request) -> web.Response:
        """Answer that the process lives. One that does nothing although there is work is ended by its watchdog."""
        return _answer(web.Response(text="alive\n"))

    async def _readiness(self, request: web.Request) -> web.Response:
        """Answer 200 while every owned partition decides, else 503; how each one is; and why, to those with the token."""
        owned = self._view.owned
        body: dict[str, Any] = {
            "ready": self._view.ready,
            "partitions": {str(number): str(each.phase) for number, each in sorted(owned.items())},
            "halted": {str(number): each.halted.reason for number, each in sorted(owned.items()) if each.halted},
        }
        if self._trusts(request):
            body["troubles"] = list(self._view.troubles)
        return _answer(web.json_response(body, status=200 if body["ready"] else 503))

    def _trusts(self, request: web.Request) -> bool:
        """Tell whether a request has the token, if one is set."""
        given = request.headers.get(hdrs.AUTHORIZATION, "")
        return not self._token or hmac.compare_digest(given.encode(errors="replace"), f"Bearer {self._token}".encode())


def _answer(response: web.Response) -> web.Response:
    """Let the response be the connection's last, and nobody keep it."""
    response.force_close()
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    return response


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
