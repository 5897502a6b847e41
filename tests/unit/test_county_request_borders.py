"""Where HTTP requests begin in the bytes of a connection."""

from greenchannel.county.request_borders import RequestBorders

GET = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde"
CHUNKED = b"POST /e HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
UPGRADE = b"GET /s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def requests(*reads: bytes) -> list[bytes]:
    """The bytes of each request."""
    borders, found = RequestBorders(), []
    for read in reads:
        for piece in borders.feed(read):
            if piece.begins:
                found.append(b"")
            found[-1] += piece.data
    return found


def test_requests_one_after_the_other_are_told_apart() -> None:
    """Without a body, with one of known length, and in chunks."""
    assert requests(GET + POST + CHUNKED + GET) == [GET, POST, CHUNKED, GET]


def test_a_request_in_pieces_is_one_request() -> None:
    """Cut within the head and within the body."""
    assert requests(POST[:10], POST[10:-2], POST[-2:], GET) == [POST, GET]


def test_what_follows_an_upgrade_belongs_to_it() -> None:
    """Frames of a socket are no requests, whatever they look like."""
    assert requests(UPGRADE, GET + b"\x81\x05hello", POST) == [UPGRADE + GET + b"\x81\x05hello" + POST]


def test_bytes_that_are_no_http_are_one_request() -> None:
    """They are carried like any others."""
    assert requests(b"\x16\x03\x01\x02\x00", b"\x01\x00" + GET) == [b"\x16\x03\x01\x02\x00\x01\x00" + GET]
