"""Words about a study: sealed ones are opened by the study's key, those of before are read as they stand."""

import msgspec

from greenchannel.alerts.imaging.reading import fold_all
from greenchannel.service.imaging.reading_words import UNREADABLE, opened
from tests.imaging_log import ImageLog
from tests.unit.test_imaging_reading import signed


def test_a_report_of_before_words_were_sealed_is_read_as_it_stands() -> None:
    log = ImageLog()
    signed(log)
    found = fold_all(log.envelopes)
    assert found is not None
    assert opened(found, None) == found
    assert opened(found, "00" * 32).signed[0].impression == "脑出血"


def test_words_that_no_key_opens_say_so() -> None:
    """A report that cannot be read must not look like one that says nothing."""
    log = ImageLog()
    signed(log, findings="x", impression="y")
    replace = msgspec.structs.replace
    lost = replace(log.reading, signed=(replace(log.reading.signed[0], sealed="AAAA"),))
    for key in (None, "00" * 32):
        assert opened(lost, key).signed[0].impression == UNREADABLE
