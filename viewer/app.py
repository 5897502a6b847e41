"""The whole face of the service as one ASGI application.

A small dispatcher stands in front: the two WebSockets go to their own code, everything else to FastAPI, with the
headers that keep a browser careful. The desk is started and stopped by the assembly, not here.
"""

import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from greenchannel.service.desk import Desk
from greenchannel.viewer import (
    dicom_web_query,
    dicom_web_rendered,
    dicom_web_retrieve,
    dicom_web_stow,
    health,
    problems,
    routes_admin,
    routes_admin_watch,
    routes_agent,
    routes_ambulance,
    routes_cases,
    routes_codes,
    routes_contacts,
    routes_detectors,
    routes_devices,
    routes_drills,
    routes_duty,
    routes_ecgs,
    routes_export,
    routes_export_counts,
    routes_export_fhir,
    routes_facts,
    routes_image_report,
    routes_imaging,
    routes_imaging_calls,
    routes_imaging_forwards,
    routes_imaging_orders,
    routes_loop,
    routes_metrics,
    routes_paper,
    routes_quality,
    routes_quarantined_images,
    routes_reperfusion,
    routes_report,
    routes_roster,
    routes_rules,
    routes_serial,
    routes_session,
    routes_tasks,
    static_page,
    tus_routes,
)
from greenchannel.viewer.front import PREFIX, DemoUser, Front
from greenchannel.viewer.live_socket import live
from greenchannel.viewer.problems import Problem
from greenchannel.viewer.sockets import Disconnected, Socket
from greenchannel.viewer.stream_socket import stream
from greenchannel.viewer.unread import Unread
from greenchannel.viewer.uploads import check_announced

MOST_BODY_BYTES: Final = 64 * 1024  # of any request but an upload

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

# Decoders of compressed images are WebAssembly, compiled in a worker: its script alone, by its own policy, may do so.
DECODER: Final = "/static/assets/decodeImageFrameWorker-"
DECODER_HEADERS: Final = SECURITY_HEADERS | {
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
}

IMAGES: Final = (f"{dicom_web_stow.ROOT}/", f"{PREFIX}{dicom_web_stow.ROOT}/")

SOCKETS: Final = {f"{PREFIX}/live": live, f"{PREFIX}/stream": stream}


def create_app(desk: Desk, demo_users: Sequence[DemoUser] = ()) -> ASGIApp:
    """The application around a desk.

    Parameters
    ----------
    desk
        Started before the first request comes.
    demo_users
        People whom the start page offers to be; only the demo has any.
    """
    front = Front.of(desk, demo_users)
    metrics = health.Metrics(front)
    return _Dispatcher(front, _http(front, metrics), _images(front), metrics)


def _http(front: Front, metrics: health.Metrics) -> FastAPI:
    app = _empty(front)
    for module in (
        routes_session,
        routes_ecgs,
        routes_paper,
        routes_serial,
        routes_report,
        tus_routes,
        routes_agent,
        routes_cases,
        routes_contacts,
        routes_ambulance,
        routes_devices,
        routes_duty,
        routes_roster,
        routes_tasks,
        routes_loop,
        routes_facts,
        routes_imaging_calls,
        routes_imaging_forwards,
        routes_imaging_orders,
        routes_metrics,
        routes_reperfusion,
        routes_rules,
        routes_admin,
        routes_admin_watch,
        routes_codes,
        routes_drills,
        routes_quality,
        routes_export,
        routes_export_counts,
        routes_export_fhir,
        routes_imaging,
        routes_image_report,
        routes_detectors,
        routes_quarantined_images,
    ):
        app.include_router(module.router, prefix=PREFIX)
    _add_images(app)
    app.include_router(health.router)
    app.include_router(health.add_metrics(metrics))
    app.include_router(static_page.router)

    @app.get("/openapi.json", include_in_schema=False)
    async def schema() -> dict[str, Any]:
        return app.openapi()

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(static_page.listing(app.openapi()))

    static_page.add_fallback(app)
    return app


def _images(front: Front) -> FastAPI:
    """The routes of images alone: a viewer asks many times, and each would be compared with all others before."""
    app = _empty(front)
    _add_images(app)
    static_page.add_fallback(app)
    return app


def _empty(front: Front) -> FastAPI:
    app = FastAPI(
        title="greenchannel",
        version=version("greenchannel"),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.front = front
    problems.install(app)
    return app


def _add_images(app: FastAPI) -> None:
    for images in (dicom_web_stow, dicom_web_query, dicom_web_rendered, dicom_web_retrieve):
        app.include_router(images.router, prefix=dicom_web_stow.ROOT)
        app.include_router(images.router, prefix=PREFIX + dicom_web_stow.ROOT, include_in_schema=False)


class _Dispatcher:
    """Routes by the kind of connection, and watches over what every answer has in common."""

    def __init__(self, front: Front, http: ASGIApp, images: ASGIApp, metrics: health.Metrics) -> None:
        self._front = front
        self._http = http
        self._images = images
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        serve = SOCKETS.get(scope["path"])
        if serve is not None:
            await serve(self._front, scope, receive, send)
            return
        socket = Socket(receive, send)
        try:
            await socket.accept()
            await socket.refuse(Problem(404, "there is no such socket"))
        except Disconnected:
            return

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        unread = Unread(scope, receive, send)
        receive, send = unread.receive, unread.send

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                secured = DECODER_HEADERS if scope["path"].startswith(DECODER) else SECURITY_HEADERS
                for name, value in secured.items():
                    headers[name] = value
                self._metrics.requests.labels(scope["method"], str(message["status"])).inc()
                self._metrics.seconds.observe(time.perf_counter() - started)
            await send(message)

        if not _takes_files(scope):
            try:
                check_announced(Headers(scope=scope).get("content-length"), MOST_BODY_BYTES)
            except Problem as problem:
                await problem.response()(scope, receive, answer)
                return
            receive = _bounded(receive)
        serve = self._images if scope["path"].startswith(IMAGES) else self._http
        await serve(scope, receive, answer)


def _takes_files(scope: Scope) -> bool:
    """Is it one of the routes that set a limit of their own?"""
    method, path = scope["method"], scope["path"]
    return (
        (method, path) in (("POST", f"{PREFIX}/ecgs"), ("POST", f"{PREFIX}/roster/import"))
        or (method in ("POST", "PATCH") and (path + "/").startswith(f"{PREFIX}/uploads/"))
        or (
            method == "POST"
            and (path + "/").removeprefix(PREFIX).startswith(f"{dicom_web_stow.ROOT}/studies/")
        )
    )


def _bounded(receive: Receive) -> Receive:
    """Cut a body that goes on without having announced its length."""
    size = 0

    async def bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MOST_BODY_BYTES:
            return {"type": "http.disconnect"}
        return message

    return bounded
