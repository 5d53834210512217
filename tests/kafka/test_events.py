"""Events as records: the network is the key, the framing is of the settings, and the bytes read back as they were."""

from streams.core.events import CallEvent, ControlEvent, Tick
from streams.kafka.embedded import EmbeddedBroker
from streams.kafka.events import event_encode, event_publisher
from streams.kafka.reader import Reader
from streams.wire.decode import Decoder
from streams.wire.framing import FramingWriter
from streams.wire.partition import partition_of

OFFER = CallEvent("msf", "paris", "sw/1", "OFFERED", 1_762_000_000_000_000, "sw", asks=True)
TICK = ControlEvent(None, None, Tick())
CLOCK = ControlEvent("msf", 1_762_000_060_000_000, Tick())


def test_the_key_is_the_network_and_a_partitions_tick_has_none():
    encode = event_encode(FramingWriter())
    assert encode(OFFER)[0] == encode(CLOCK)[0] == b"msf"
    assert encode(TICK)[0] is None
    assert {encode(event)[1][:2] for event in (OFFER, TICK, CLOCK)} == {b"\xc3\x01"}


def test_with_a_registrys_numbers_the_framing_holds_them():
    encode = event_encode(FramingWriter({"CallEvent": 5, "ControlEvent": 258}))
    assert encode(OFFER)[1][:5] == b"\0\0\0\0\5"
    assert encode(TICK)[1][:5] == b"\0\0\0\1\2"


def test_what_is_published_reads_back_as_the_same_events_in_their_order():
    with EmbeddedBroker() as broker:
        settings = broker.settings()
        home = partition_of(b"msf", settings.partitions)
        with event_publisher(settings) as publisher:
            publisher.send(OFFER)
            publisher.send(TICK, partition=home)
            publisher.send(CLOCK)
        with Reader(settings, settings.topic("call-events")) as reader:
            found = list(reader)
    assert [partition for partition, _ in found] == [home] * len(found)
    decoder = Decoder(home, settings.partitions, {})
    assert [event for _, batch in found for event in decoder.decode(batch)] == [OFFER, TICK, CLOCK]
