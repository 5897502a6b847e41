"""What operation asks: is it alive, is it ready, how is it doing."""

from collections.abc import Iterator
from typing import Final

from fastapi import APIRouter
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from greenchannel.alerts.channels import outgoing
from greenchannel.clock import SteadyClock
from greenchannel.service.delivery import Delivery
from greenchannel.viewer.front import Front, Here, answer
from greenchannel.viewer.problems import Problem

router = APIRouter(tags=["operation"])

_SECONDS: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


class Metrics:
    """The numbers of one running service; no name of a patient, site or person is among them."""

    def __init__(self, front: Front) -> None:
        desk = front.desk
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "greenchannel_http_requests", "Answered requests", ["method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "greenchannel_http_seconds",
            "Time to the start of an answer",
            registry=self.registry,
            buckets=_SECONDS,
        )
        self._gauge("greenchannel_log_seq", "Sequence number of the log").set_function(lambda: desk.hub.seq)
        self._gauge("greenchannel_ready", "1 where the service is ready").set_function(lambda: desk.ready)
        self._gauge("greenchannel_live_clients", "Connections of /live").set_function(
            lambda: front.fanout.clients
        )
        self._gauge("greenchannel_cases_open", "Open cases").set_function(
            lambda: sum(case.state == "open" for case in desk.cases())
        )
        self._gauge(
            "greenchannel_alerts_open", "Alerts that nobody has answered, without those of drills"
        ).set_function(
            lambda: sum(
                case.alert is not None and case.alert.open and not case.is_drill for case in desk.cases()
            )
        )
        self._gauge("greenchannel_alert_steps_overdue", "Alert steps that did not come in time").set_function(
            lambda: desk.auditor.missed
        )
        self.registry.register(_Deliveries(desk.delivery))
        self._gauge("greenchannel_unwell", "Faults of the service itself that the auditor sees").set_function(
            lambda: len(desk.auditor.unwell)
        )
        self._gauge("greenchannel_log_of_others", "Events that another process wrote").set_function(
            lambda: desk.following.of_others
        )
        if isinstance(desk.clock, SteadyClock):
            clock = desk.clock
            self._gauge(
                "greenchannel_clock_ahead_seconds",
                "How far the machine's clock was set back and is still behind",
            ).set_function(lambda: clock.ahead.total_seconds())
        self._gauge(
            "greenchannel_roster_problems", "Shifts in doubt that begin within a day, or have begun"
        ).set_function(lambda: desk.roster.watch.in_doubt)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self.registry)

    def text(self) -> bytes:
        """All of it in the Prometheus format."""
        return generate_latest(self.registry)


class _Deliveries(Collector):
    """What became of attempts, and how much waits, by channel."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    def collect(self) -> Iterator[Metric]:
        """As of now; the depth as of the last look at the outbox."""
        attempts = CounterMetricFamily(
            "greenchannel_deliveries",
            "Attempts of deliveries: sent, given_up, cancelled, retry",
            labels=["channel", "outcome"],
        )
        for (channel, outcome), count in sorted(self._delivery.outcomes.items()):
            attempts.add_metric([channel, outcome], count)
        waiting = GaugeMetricFamily(
            "greenchannel_outbox_depth", "Deliveries that have not ended", labels=["channel"]
        )
        for channel in outgoing():
            waiting.add_metric([channel], self._delivery.depth.get(channel, 0))
        yield attempts
        yield waiting


@router.get("/healthz", summary="Alive")
async def alive() -> Response:
    """The process answers."""
    return answer({"alive": True})


@router.get("/readyz", summary="Ready")
async def ready(front: Here) -> Response:
    """Started, and able to write; 503 otherwise."""
    if not front.desk.ready:
        raise Problem(503, "the service is not ready", code="not_ready")
    return answer({"ready": True, "seq": front.desk.hub.seq})


def add_metrics(metrics: Metrics) -> APIRouter:
    """The route of the metrics."""
    made = APIRouter(tags=["operation"])

    @made.get("/metrics", summary="Prometheus")
    async def numbers() -> Response:
        """In the text format."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return made
