"""Connections of the DICOM node end with the call, whichever side went first."""

import copy
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from pynetdicom import AllStoragePresentationContexts

from greenchannel.service.imaging.dicom_node import SharedContexts
from greenchannel.service.imaging.dicom_peers import careful, no_delay


@pytest.mark.parametrize("opened", [careful, no_delay])
def test_a_connection_whose_other_side_has_gone_is_closed(opened: Callable[[Any], None]) -> None:
    """Its shutdown fails, since nobody is there; it holds no file all the same."""
    alone = socket.socket()
    whole = SimpleNamespace(socket=alone)
    opened(SimpleNamespace(assoc=SimpleNamespace(dul=SimpleNamespace(socket=whole))))

    whole._shutdown_socket()

    assert alone.fileno() == -1


def test_each_association_has_contexts_of_its_own_and_no_uid_is_made_anew() -> None:
    """What pynetdicom copies for each call: what one association changes no other sees, and it is quick."""
    accepted = SharedContexts(AllStoragePresentationContexts)
    first, second = copy.deepcopy(accepted), copy.deepcopy(accepted)

    assert first == second == list(AllStoragePresentationContexts)
    first[0].result = 1
    first[0].transfer_syntax = ["1.2.840.10008.1.2"]
    assert second[0].result is None and second[0] == AllStoragePresentationContexts[0]
    assert all(a is b for a, b in zip(second[1].transfer_syntax, accepted[1].transfer_syntax, strict=True))
