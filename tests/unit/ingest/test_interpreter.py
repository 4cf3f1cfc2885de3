"""The interpreter's settings hold for the service's time and not longer."""

import gc
import sys

from ingest.interpreter import COLLECT_AFTER, SWITCH_AFTER_S, attuned


def test_the_interpreter_is_as_it_was_when_the_service_has_ended() -> None:
    before = (sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count())
    with attuned():
        assert sys.getswitchinterval() == SWITCH_AFTER_S
        assert gc.get_threshold()[0] == COLLECT_AFTER
        assert gc.get_freeze_count() > before[2]
    assert (sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count()) == before
