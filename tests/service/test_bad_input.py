"""Bad input at every entry of a running service: a problem document, nothing changed, everybody else undisturbed.

The service is a process of its own, reached over real sockets; the number of its newest event and its memory are
looked at from outside.
"""

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.service.bad_place import GIGABYTE, NOISE, Place, head_alone, refused

pytestmark = pytest.mark.usefixtures("undisturbed")

BODY: Final[dict[str, dict[str, Any]]] = {  # entry → a body that it would take
    "/session": {"user": "chen", "password": "wrong"},
    "/cases/{case}/milestones": {
        "milestone": "DX",
        "at": "2026-03-02T16:05:00+08:00",
        "source": "cardiologist",
    },
    "/cases/{case}/stand-down": {"reason": "false alarm"},
    "/cases/{case}/close": {"reason": "done"},
    "/cases/{case}/merge": {"into": "c_none"},
    "/cases/{case}/split": {"ecg_ids": ["e_none"]},
    "/ecgs/{ecg}/reading": {"text": "STEMI", "tier": "ACT"},
    "/alerts/{alert}/handover": {"to": "lin"},
}
OPTIONAL: Final = (  # entries that take an empty body as well
    "/cases/{case}/green-channel",
    "/tasks/{task}/accept",
    "/tasks/{task}/done",
    "/alerts/{alert}/ack",
    "/alerts/{alert}/claim",
    "/alerts/{alert}/decline",
    "/alerts/{alert}/silence",
)
COMMANDS: Final = (*BODY, *OPTIONAL)
NOT_JSON: Final = (
    NOISE,
    b"{",
    b'{"milestone": "FM',
    b'{"a": 1} x',
    b"\xff\xfe{\x00",
    b"[" * 60_000,
    b'{"a":' * 12_000,
)
WRONG_JSON: Final = (
    b"[]",
    b"7",
    b'"text"',
    b"true",
    b'{"unknown": 1}',
    b'{"reason": "\\ud800"}',
    b'{"reason": NaN, "unknown": 1e999}',
    json.dumps(
        {key: {"a": [1]} for key in ("reason", "into", "to", "text", "user", "milestone", "at")}
    ).encode(),
)


@pytest.mark.parametrize("entry", COMMANDS)
def test_a_body_that_is_no_command_is_refused(place: Place, entry: str) -> None:
    """Noise, halves of JSON, JSON of another shape, text: 400 or 422 with what was expected."""
    seq = place.seq()
    bad = (*NOT_JSON, *WRONG_JSON) if entry in OPTIONAL else (b"", b"null", *NOT_JSON, *WRONG_JSON)
    for content in bad:
        headers = {**place.chen, "Content-Type": "application/json"}
        answer = place.http.post(place.path(entry), content=content, headers=headers)
        document = refused(answer, 400, 422)
        assert document.get("expected"), (content[:40], document)
    assert place.seq() == seq


@pytest.mark.parametrize("entry", BODY)
def test_a_body_of_another_type_or_with_wrong_values_is_refused(place: Place, entry: str) -> None:
    """A form, plain text, each field with a value of another type: 4xx that names the field."""
    seq, right = place.seq(), BODY[entry]
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        headers = {**place.chen, "Content-Type": kind}
        refused(place.http.post(place.path(entry), content=json.dumps(right), headers=headers), 400, 415, 422)
    for name in right:
        values: tuple[Any, ...] = (7, [], {}, True, "", "x" * 5000, "\x00")
        for value in values:
            answer = place.http.post(place.path(entry), json=right | {name: value}, headers=place.chen)
            document = refused(answer, 401 if entry == "/session" else 422, 422, 403, 404)
            if document["status"] == 422 and document["code"] == "invalid":
                assert name in document["detail"], document
    assert place.seq() == seq


@pytest.mark.parametrize("entry", [*COMMANDS, "/ecgs/{ecg}/opened", "/ecgs/{ecg}/advice-seen"])
def test_no_command_without_the_right_credential(place: Place, entry: str) -> None:
    """None, a wrong token, a disabled device, noise as a cookie, a foreign page, a clinic of another site."""
    seq, body = place.seq(), BODY.get(entry)
    foreign = {**place.chen, "Origin": "http://evil.example"}
    bare = {"Cookie": place.chen["Cookie"]}
    strangers: list[tuple[dict[str, str], int]] = [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Basic eDp5"}, 401),
        ({"Authorization": "Bearer " + "x" * 4000}, 401),
        ({"Authorization": f"Bearer {place.off}"}, 401),
        ({"Cookie": "greenchannel_session=" + "y" * 40, "Origin": place.service.base}, 401),
        (foreign, 403),
        (bare, 403),
    ]
    if entry == "/session":
        strangers = [({}, 401), ({"Origin": "http://evil.example"}, 403)]
    for headers, status in strangers:
        refused(place.http.post(place.path(entry), json=body, headers=headers), status)
    assert place.seq() == seq


@pytest.mark.parametrize("entry", COMMANDS)
def test_a_gigabyte_is_refused_when_it_is_announced(place: Place, entry: str) -> None:
    """413 before a byte of it has come; a length that is no number is 400."""
    seq = place.seq()
    head = head_alone(place, place.path(entry), place.chen, f"Content-Length: {GIGABYTE}")
    assert head.startswith(b"HTTP/1.1 413") and b'"code":"too_large"' in head
    head = head_alone(place, place.path(entry), place.chen, "Content-Length: many")
    assert head.startswith(b"HTTP/1.1 400")
    assert place.seq() == seq


UNKNOWN_IDS: Final = ("none", "c_none", "%00", "..%2f..%2fetc", "x" * 3000, "🫀", "' OR 1=1 --")


@pytest.mark.parametrize("template", [entry for entry in COMMANDS if "{" in entry])
def test_an_id_that_is_not_there_is_404(place: Place, template: str) -> None:
    """Whatever it looks like, and for another site's as for none at all."""
    seq, body = place.seq(), BODY.get(template)
    for made_up in UNKNOWN_IDS:
        path = "/api/v1" + template.format_map(dict.fromkeys(("case", "ecg", "alert", "task"), made_up))
        refused(place.http.post(path, json=body, headers=place.chen), 404, 405)
    if "{case}" in template:
        path = "/api/v1" + template.format(case=place.other_case)
        refused(place.http.post(path, json=body, headers=place.wang), 403, 404)
    assert place.seq() == seq


def test_what_is_looked_for_and_not_there_is_404(place: Place) -> None:
    """Reads too: unknown ids, another site's, wrong queries."""
    seq = place.seq()
    for made_up in UNKNOWN_IDS:
        for template in ("/cases/{}", "/cases/{}/forms", "/ecgs/{}", "/ecgs/{}/waveform", "/ecgs/{}/file"):
            refused(place.http.get("/api/v1" + template.format(made_up), headers=place.chen), 404)
    for path in (f"/cases/{place.other_case}", f"/ecgs/{place.other_ecg}", f"/ecgs/{place.other_ecg}/file"):
        refused(place.http.get("/api/v1" + path, headers=place.wang), 404)
        refused(place.http.get("/api/v1" + path, headers=place.device()), 404)
    for query in (
        "tier=HIGH",
        "state=lost",
        "from=yesterday",
        "from=2026-03-02T16:05:00",
        "site=" + "x" * 99,
    ):
        refused(place.http.get(f"/api/v1/cases?{query}", headers=place.chen), 422)
    assert place.seq() == seq


# ---------------------------------------------------------------- anything at all

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)
_KEYS = (
    "milestone",
    "at",
    "source",
    "key",
    "note",
    "reason",
    "into",
    "ecg_ids",
    "text",
    "tier",
    "advice",
    "to",
)
_BODIES = st.dictionaries(st.sampled_from(_KEYS), _JSON, max_size=6) | _JSON


@given(entry=st.sampled_from(tuple(BODY)), body=_BODIES)
def test_whatever_json_comes_is_refused_or_understood(place: Place, entry: str, body: Any) -> None:
    """Never a fault of ours, and never an event by chance."""
    seq = place.seq()
    headers = {**place.chen, "Content-Type": "application/json"}
    answer = place.http.post(place.path(entry), content=json.dumps(body), headers=headers)
    refused(answer, 400, 401, 403, 404, 409, 422)
    assert place.seq() == seq
