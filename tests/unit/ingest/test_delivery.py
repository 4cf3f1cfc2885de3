"""The acknowledgement window, alone and against a model of a broker."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ingest.delivery import Delivery, Window, digest

HOLDS = 6


def connected() -> Window:
    window = Window()
    window.connected(session_present=True)
    return window


def take(window: Window, mid: int, content: int = 0, *, dup: bool = False) -> Delivery:
    delivery = window.receive(mid, content, dup=dup)
    assert delivery is not None
    return delivery


def test_acknowledged_in_receive_order_though_committed_in_another() -> None:
    window = connected()
    first, second, third = (take(window, mid) for mid in (7, 3, 9))
    assert window.commit([second]) == []
    assert window.commit([first]) == [7, 3]
    assert window.commit([third]) == [9]


def test_nothing_is_acknowledged_on_a_connection_that_is_gone() -> None:
    window = connected()
    delivery = take(window, 1)
    window.disconnected()
    assert window.commit([delivery]) == []
    window.connected(session_present=True)
    again = take(window, 1, dup=True)
    assert again is not delivery
    assert window.commit([again]) == [1]


def test_a_copy_of_a_message_in_hand_takes_its_place() -> None:
    window = connected()
    held = take(window, 1, 11)
    window.disconnected()
    window.connected(session_present=True)
    assert window.receive(1, 11, dup=True) is None
    assert len(window) == 1
    assert window.commit([held]) == [1]


def test_another_message_under_the_same_packet_identifier_is_not_a_copy() -> None:
    window = connected()
    take(window, 1, 11)
    window.disconnected()
    window.connected(session_present=True)
    assert window.receive(1, 12, dup=True) is not None


def test_a_new_session_forgets_the_old_identifiers_and_says_where_it_begins() -> None:
    window = connected()
    held = take(window, 1, 11)
    window.disconnected()
    window.connected(session_present=False)
    fresh = take(window, 1, 11, dup=True)
    assert fresh.opens_session
    assert not take(window, 2).opens_session
    assert window.commit([held]) == []
    assert window.commit([fresh]) == [1]


def test_the_digest_tells_topic_from_payload() -> None:
    assert digest(b"a", b"bc") != digest(b"a", b"bd")
    assert digest(b"a", b"x") != digest(b"b", b"x")


@dataclass
class Packet:
    """A message on the model broker's side."""

    content: int
    sent: bool = False


@dataclass
class Hands:
    """What the writer has: deliveries with the message they were made from."""

    waiting: list[tuple[Delivery, int]] = field(default_factory=list)
    committed: list[int] = field(default_factory=list)


class BrokerAndWindow(RuleBasedStateMachine):
    """A broker with a persistent session against the window: whatever breaks, each message once."""

    @initialize()
    def begin(self) -> None:
        self.window = Window()
        self.window.connected(session_present=True)
        self.up = True
        self.inflight: dict[int, Packet] = {}
        self.next_content = 0
        self.hands = Hands()
        self.acked: list[int] = []

    @precondition(lambda self: self.up and len(self.inflight) < HOLDS)
    @rule()
    def publish(self) -> None:
        mid = next(m for m in range(1, HOLDS + 1) if m not in self.inflight)
        self.next_content += 1
        self.inflight[mid] = Packet(self.next_content)
        self._send(mid, dup=False)

    @precondition(lambda self: self.up)
    @rule()
    def cut(self) -> None:
        self.up = False
        self.window.disconnected()

    @precondition(lambda self: not self.up)
    @rule()
    def reconnect(self) -> None:
        self.up = True
        self.window.connected(session_present=True)
        for mid in list(self.inflight):
            self._send(mid, dup=True)

    @rule(share=st.floats(0, 1), last_first=st.booleans())
    def commit(self, share: float, last_first: bool) -> None:
        count = round(len(self.hands.waiting) * share)
        batch, self.hands.waiting = self.hands.waiting[:count], self.hands.waiting[count:]
        self.hands.committed += [content for _, content in batch]
        deliveries = [delivery for delivery, _ in batch]
        for mid in self.window.commit(reversed(deliveries) if last_first else deliveries):
            packet = self.inflight.pop(mid)
            assert packet.content in self.hands.committed, "acknowledged before it was committed"
            self.acked.append(packet.content)

    def _send(self, mid: int, *, dup: bool) -> None:
        content = self.inflight[mid].content
        delivery = self.window.receive(mid, content, dup=dup)
        if delivery is not None:
            self.hands.waiting.append((delivery, content))

    @invariant()
    def nothing_is_lost_and_memory_is_bounded(self) -> None:
        in_hand = {content for _, content in self.hands.waiting}
        known = in_hand | set(self.hands.committed)
        assert {packet.content for packet in self.inflight.values()} <= known
        assert len(self.window) <= HOLDS
        assert len(self.hands.waiting) <= HOLDS

    def teardown(self) -> None:
        """Once all is quiet, everything was acknowledged."""
        if not self.up:
            self.reconnect()
        self.commit(1.0, False)
        assert not self.inflight
        assert set(self.acked) == set(range(1, self.next_content + 1))


BrokerAndWindow.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None
)
TestBrokerAndWindow = BrokerAndWindow.TestCase
