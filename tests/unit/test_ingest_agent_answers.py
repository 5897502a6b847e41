"""What answers mean to the clinic's agent: only the server's own words make an ECG sent or refused."""

import msgspec
import pytest

from greenchannel.ingest.agent_answers import Reply, Step, trouble_of

TUS = {"tus-resumable": "1.0.0"}
STEPS: tuple[Step, ...] = ("create", "piece", "head", "states")


def problem(status: int, code: str, **headers: str) -> Reply:
    """A refusal of the server's own."""
    body = msgspec.json.encode({"code": code, "detail": "why it is so", "zh": "原因", "status": status})
    return Reply(
        status=status,
        headers=TUS | {"content-type": "application/problem+json"} | headers,
        body=body,
    )


def test_an_answer_that_speaks_the_protocol_is_no_trouble() -> None:
    """One for each step."""
    good: list[tuple[Step, Reply]] = [
        ("create", Reply(status=201, headers=TUS | {"location": "http://x/api/v1/uploads/u_1"})),
        ("piece", Reply(status=204, headers=TUS | {"upload-offset": "10"})),
        ("head", Reply(status=200, headers=TUS | {"upload-offset": "10"})),
        ("states", Reply(status=200, headers={}, body=b'{"server_time": "2026-05-01T00:00:00Z"}')),
    ]

    assert [trouble_of(reply, step) for step, reply in good] == [None] * 4


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("status", [200, 201, 204, 302, 403, 404, 511])
def test_a_sign_in_page_is_no_answer_whatever_its_status(step: Step, status: int) -> None:
    """Nothing is sent, nothing is refused; the clinic is told."""
    page = Reply(status=status, headers={"content-type": "text/html"}, body=b"<html>Welcome")
    found = trouble_of(page, step)

    assert found is not None and (found.whose, found.code) == ("link", "captive_portal")


@pytest.mark.parametrize("step", STEPS)
def test_a_status_without_the_protocol_proves_nothing(step: Step) -> None:
    """A proxy that says OK, or 204, to everything."""
    for status in (200, 201, 204):
        found = trouble_of(Reply(status=status, headers={"content-type": "text/plain"}), step)
        assert found is not None and found.whose == "link"


@pytest.mark.parametrize(
    ("reply", "whose", "code"),
    [
        (problem(401, "unauthenticated"), "link", "token_refused"),
        (problem(403, "site_forbidden"), "refused", "site_forbidden"),
        (problem(409, "identity_conflict"), "refused", "identity_conflict"),
        (problem(409, "offset_mismatch"), "entry", "offset_mismatch"),
        (problem(413, "too_large"), "refused", "too_large"),
        (problem(415, "unknown_format"), "refused", "unknown_format"),
        (problem(422, "malformed"), "refused", "malformed"),
        (problem(404, "not_found"), "restart", "upload_gone"),
        (problem(410, "upload_expired"), "restart", "upload_gone"),
        (problem(423, "upload_taken_over"), "entry", "waiting_for_server"),
        (problem(460, "checksum_mismatch"), "entry", "damaged_on_the_way"),
        (problem(500, "internal"), "entry", "server_fault"),
        (problem(503, "not_durable"), "link", "busy"),
        (problem(507, "disk_full"), "link", "disk_full"),
        (Reply(status=413, headers={"content-type": "text/html"}, body=b"<html>"), "smaller", "body_too_large"),
        (Reply(status=502, headers={"content-type": "text/html"}, body=b"<html>"), "link", "busy"),
    ],
)  # fmt: skip
def test_each_refusal_is_laid_where_it_belongs(reply: Reply, whose: str, code: str) -> None:
    """To the link, to this ECG for now, or to this ECG for good."""
    found = trouble_of(reply, "piece")

    assert found is not None and (found.whose, found.code) == (whose, code)


@pytest.mark.parametrize(
    ("status", "code", "whose", "known_as"),
    [
        (404, "not_found", "link", "wrong_address"),
        (405, "method_not_allowed", "link", "wrong_address"),
        (400, "bad_request", "link", "bad_request"),
        (403, "forbidden", "link", "forbidden"),
        (409, "conflict", "link", "conflict"),
        (410, "gone", "link", "gone"),
        (415, "body_type", "link", "body_type"),
        (415, "unsupported_media_type", "link", "unsupported_media_type"),
        (422, "invalid", "link", "invalid"),
        (400, "bad_tus_header", "entry", "bad_tus_header"),
        (409, "site_missing", "entry", "site_missing"),
        (418, "of_tomorrow", "entry", "of_tomorrow"),
    ],
)
def test_what_is_not_said_of_the_file_refuses_no_ecg(
    status: int, code: str, whose: str, known_as: str
) -> None:
    """A wrong address, a missing right, a request that was spoilt on the way: told in both languages, tried again."""
    found = trouble_of(problem(status, code), "create")

    assert found is not None and (found.whose, found.code) == (whose, known_as)
    assert found.zh and found.en


@pytest.mark.parametrize(
    "code", ["bad_field", "empty_body", "ecg_in_other_case", "case_closed", "patient_erased"]
)
@pytest.mark.parametrize("status", [400, 409])
def test_what_is_said_of_the_file_or_its_fields_refuses_it(status: int, code: str) -> None:
    """It would be said again of the same bytes."""
    found = trouble_of(problem(status, code), "create")

    assert found is not None and (found.whose, found.code) == ("refused", code)


@pytest.mark.parametrize("status", [400, 403, 409, 415, 422])
def test_a_problem_of_another_service_refuses_no_ecg(status: int) -> None:
    """Such documents are a standard: others send them too. Ours says so by its type or by the protocol's header."""
    document = {"type": "about:blank", "code": "malformed", "status": status}
    headers = {"content-type": "application/problem+json"}
    strange = Reply(status=status, headers=headers, body=msgspec.json.encode(document))
    document |= {"type": "urn:greenchannel:problem:malformed"}
    ours = Reply(status=422, headers=headers, body=msgspec.json.encode(document))

    found, own = trouble_of(strange, "create"), trouble_of(ours, "create")
    assert found is not None and (found.whose, found.code) == ("link", "not_our_server")
    assert own is not None and own.whose == "refused"


def test_a_refusal_keeps_the_servers_own_words() -> None:
    """In both languages."""
    found = trouble_of(problem(422, "malformed"), "piece")

    assert found is not None and (found.en, found.zh, found.status) == ("why it is so", "原因", 422)


def test_bytes_that_were_damaged_as_a_whole_are_sent_anew() -> None:
    """The server refused the file for its hash alone: that is no fault of the file."""
    found = trouble_of(problem(460, "checksum_mismatch", **{"greenchannel-state": "refused"}), "piece")

    assert found is not None and found.whose == "restart"


def test_what_the_server_asks_to_wait_is_heard() -> None:
    """Retry-After in seconds."""
    found = trouble_of(problem(503, "unavailable", **{"retry-after": "17"}), "create")

    assert found is not None and found.wait_s == 17.0
