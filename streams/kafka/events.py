"""Call events and control events on their way into the log: key, framing and body, and a publisher that knows them."""

from streams.core.events import CallEvent, Event
from streams.kafka.publisher import Encode, Publisher
from streams.kafka.registry import PATIENT_S, Registry
from streams.kafka.topics import CALL_EVENTS
from streams.settings import Settings
from streams.wire.encoders import encoder
from streams.wire.framing import FramingWriter


def framing(settings: Settings) -> FramingWriter:
    """Return the framing in force: the registry's numbers where one is set, else fingerprints.

    Raises KafkaTrouble where a schema is not registered, RegistryDown where the registry does not answer.
    """
    return FramingWriter(Registry(settings, timeout_s=PATIENT_S).ids() if settings.registry_url else None)


def event_encode(writer: FramingWriter) -> Encode[Event]:
    """Return the function from an event to its record's key (its network; None for a partition's Tick) and value."""
    call_prefix, control_prefix = writer.prefix("CallEvent"), writer.prefix("ControlEvent")
    call_body, control_body = encoder("CallEvent"), encoder("ControlEvent")

    def encode(event: Event) -> tuple[bytes | None, bytes]:
        if isinstance(event, CallEvent):
            return event.network.encode(), call_prefix + call_body(event)
        key = None if event.network is None else event.network.encode()
        return key, control_prefix + control_body(event)

    return encode


def event_publisher(settings: Settings, *, linger_ms: int = 5) -> Publisher[Event]:
    """Return a publisher of events to `call-events`; raises as `framing` and `Publisher`."""
    topic = settings.topic(CALL_EVENTS)
    return Publisher(settings, event_encode(framing(settings)), topic=topic, linger_ms=linger_ms)
