"""Signatures in the form of Standard Webhooks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.service.channels.signing import key_of, secret_bytes, sign, signed_right, wire_id
from greenchannel.store.contacts import new_secret

# The example of the published specification.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT_S, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_example_is_signed_as_published() -> None:
    """Byte for byte."""
    assert sign(SECRET, ID, AT_S, BODY) == SIGNATURE


@pytest.mark.parametrize(
    ("webhook_id", "at_s", "body"),
    [("msg_other", AT_S, BODY), (ID, AT_S + 1, BODY), (ID, AT_S, BODY + b" ")],
)
def test_whatever_was_changed_the_signature_is_wrong(webhook_id: str, at_s: int, body: bytes) -> None:
    """Id, time and body are all signed."""
    assert signed_right(SECRET, ID, AT_S, BODY, SIGNATURE)
    assert not signed_right(SECRET, webhook_id, at_s, body, SIGNATURE)
    assert not signed_right(new_secret(), ID, AT_S, BODY, SIGNATURE)


def test_one_right_signature_of_several_is_enough() -> None:
    """A sender that changes its secret says both for a while; not by the hundred."""
    assert signed_right(SECRET, ID, AT_S, BODY, f"v1,AAAA {SIGNATURE}")
    assert not signed_right(SECRET, ID, AT_S, BODY, " ".join(["v1,AAAA"] * 50 + [SIGNATURE]))


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!"]
)
def test_a_weak_or_broken_secret_is_refused(secret: str) -> None:
    """Fewer than 24 bytes are no secret."""
    with pytest.raises(ValueError, match="whsec_"):
        secret_bytes(secret)


@given(st.text(min_size=1, max_size=60))
def test_a_key_comes_back_from_the_wire(person: str) -> None:
    """Whatever a user is called, the header is ASCII, has no point in it, and says the same key."""
    person = person.encode("utf-8", "replace").decode()
    key = f"a_1:1:0:{person}:sms"
    wire = wire_id(key)

    assert wire.isascii() and wire.isprintable() and "." not in wire and " " not in wire
    assert key_of(wire) == key
