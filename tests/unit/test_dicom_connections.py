"""Connections of the DICOM node end with the call, whichever side went first."""

import socket
from types import SimpleNamespace

from greenchannel.service.imaging.dicom_peers import careful


def test_a_connection_whose_other_side_has_gone_is_closed() -> None:
    """Its shutdown fails, since nobody is there; it holds no file all the same."""
    alone = socket.socket()
    whole = SimpleNamespace(socket=alone)
    careful(SimpleNamespace(assoc=SimpleNamespace(dul=SimpleNamespace(socket=whole))))

    whole._shutdown_socket()

    assert alone.fileno() == -1
