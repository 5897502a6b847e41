"""Web Push to a real server, opened with the browser's own keys to see what left."""

import base64
import re
import stat
from dataclasses import dataclass
from pathlib import Path

import http_ece  # type: ignore[import-untyped]
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

from greenchannel.events import AlertDelivered, AlertUnreachable
from greenchannel.service.channels import addresses
from greenchannel.service.channels.web_push import VapidKey
from greenchannel.service.errors import NotFound
from greenchannel.settings import load
from tests.delivery_world import PATIENT, Ward, play
from tests.desk_world import person
from tests.receiver import Request, receiver


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True)
class Browser:
    """One browser with its keys."""

    key: ec.EllipticCurvePrivateKey
    auth: bytes

    @classmethod
    def new(cls) -> "Browser":
        return cls(ec.generate_private_key(ec.SECP256R1()), b"0123456789abcdef")

    @property
    def p256dh(self) -> str:
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return b64(point)

    def subscribe(self, ward: Ward, user: str, endpoint: str) -> None:
        address = addresses.subscription(endpoint, self.p256dh, b64(self.auth), localhost=True)
        ward.desk.contacts.set(
            user, "webpush", "webpush", address, now=ward.world.clock.now(), by_person=True, several=True
        )

    def read(self, request: Request) -> dict[str, object]:
        plain = http_ece.decrypt(
            request.body, private_key=self.key, auth_secret=self.auth, version="aes128gcm"
        )
        return msgspec.json.decode(plain, type=dict[str, object])


def test_a_push_message_says_tier_and_site_and_no_name(tmp_path: Path) -> None:
    """Opened as the browser opens it: nothing of the patient, no id of the case, the person or the alert."""

    async def story(ward: Ward) -> None:
        browser = Browser.new()
        with receiver() as service:
            browser.subscribe(ward, "chen", f"{service.base}/push/1")
            case_id, alert_id = await ward.alert()
            await ward.ring(case_id, alert_id, "chen", "webpush")
            await ward.deliver()
            (request,) = service.requests
        left = browser.read(request)
        text = msgspec.json.encode(left).decode()

        assert set(left) == {"kind", "title", "body", "tag", "ref", "silent", "close"}
        assert "ACT" in str(left["title"]) and "阴赵卫生院" in str(left["body"])
        for secret in (*PATIENT.values(), case_id, alert_id, "chen"):
            assert secret not in text
        assert request.headers["urgency"] == "high" and int(request.headers["ttl"]) > 0
        assert request.headers["topic"] == left["tag"]
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,32}", request.headers["topic"]), "as RFC 8030 allows"
        assert Vapid02.verify(request.headers["authorization"])

    play(tmp_path, story)


def test_the_end_of_an_alert_closes_its_message(tmp_path: Path) -> None:
    """The same tag, silent, to be closed; also on the other browser of whoever answered."""

    async def story(ward: Ward) -> None:
        browser = Browser.new()
        with receiver() as service:
            browser.subscribe(ward, "chen", f"{service.base}/push/1")
            case_id, alert_id = await ward.alert()
            await ward.ring(case_id, alert_id, "chen", "webpush")
            await ward.deliver()
            await ward.desk.answers.acknowledge(alert_id, person("chen"))
            await ward.deliver()
            rung, over = map(browser.read, service.requests)

        assert rung["tag"] == over["tag"]
        assert (rung["close"], over["close"], over["silent"]) == (False, True, True)

    play(tmp_path, story)


def test_a_browser_that_is_no_more_is_forgotten(tmp_path: Path) -> None:
    """404 and 410 take away that subscription alone; while another works, the person is reached."""

    async def story(ward: Ward) -> None:
        old, new = Browser.new(), Browser.new()
        with receiver() as gone, receiver() as service:
            gone.statuses = [410]
            old.subscribe(ward, "chen", f"{gone.base}/push/1")
            new.subscribe(ward, "chen", f"{service.base}/push/2")
            case_id, alert_id = await ward.alert()
            key = await ward.ring(case_id, alert_id, "chen", "webpush")
            await ward.deliver()
            left = [address.url for _, address in ward.desk.contacts.addresses("chen", "webpush")]

            assert (ward.rows()[key].state, left) == ("sent", [f"{service.base}/push/2"])
            assert ward.events(case_id, AlertUnreachable) == []

            service.statuses = [404]
            last = await ward.ring(case_id, alert_id, "chen", "webpush", step=1)
            await ward.deliver()
            assert (ward.rows()[last].state, ward.desk.contacts.addresses("chen", "webpush")) == (
                "given_up",
                [],
            )
            assert [e.reason for e in ward.events(case_id, AlertUnreachable)] == ["gone"]

    play(tmp_path, story)


def test_a_browser_says_that_it_has_shown_the_alert(tmp_path: Path) -> None:
    """That a push service took it proves nothing; the worker's word does, and only for its own person."""

    async def story(ward: Ward) -> None:
        browser = Browser.new()
        with receiver() as service:
            browser.subscribe(ward, "chen", f"{service.base}/push/1")
            case_id, alert_id = await ward.alert()
            await ward.ring(case_id, alert_id, "chen", "webpush")
            await ward.deliver()
            ref = str(browser.read(service.requests[0])["ref"])
        assert "webpush" not in [e.channel for e in ward.events(case_id, AlertDelivered)]

        await ward.desk.receipts.by_browser(person("chen"), ref, "delivered")
        assert [e.person for e in ward.events(case_id, AlertDelivered) if e.channel == "webpush"] == ["chen"]
        with pytest.raises(NotFound):
            await ward.desk.receipts.by_browser(person("lin"), ref, "seen")

    play(tmp_path, story)


def test_the_key_of_the_service_is_its_own_and_stays(tmp_path: Path) -> None:
    """Made on first use, for its owner's eyes alone, the same for ever: browsers are bound to it."""
    path = tmp_path / "vapid.pem"
    first = VapidKey(path, "mailto:a@example.org").public
    again = VapidKey(path, "mailto:a@example.org").public

    assert first == again
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(base64.urlsafe_b64decode(first + "=")) == 65
    assert [one.name for one in tmp_path.iterdir()] == ["vapid.pem"]


def test_an_engine_elsewhere_is_given_the_key_of_the_service(tmp_path: Path) -> None:
    """By default it lies with the data."""
    assert load({}, data_dir=tmp_path).push_key() == tmp_path / "vapid.pem"
    shared = tmp_path / "shared.pem"
    assert load({"GREENCHANNEL_PUSH_KEY_FILE": str(shared)}, data_dir=tmp_path).push_key() == shared
