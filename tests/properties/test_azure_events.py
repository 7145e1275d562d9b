"""Whatever a device managed to store is shown to readers, and never in the hub's own name."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from ironhub.core.ids import identity
from ironhub.dialects.azure.events import decode_event, event_json
from ironhub.messaging.telemetry.model import Encoding, Entry, Logged, Origin, Source

NAMES = st.sampled_from(
    ["iothub-connection-device-id", "%24.cdid", "$.mid", "a", "IOTHUB-MESSAGE-SOURCE", "%6dqtt-dup"]
)
BAGS = st.lists(st.builds("{}={}".format, NAMES, st.text(max_size=5)), max_size=6).map(
    lambda all_: "&".join(all_).encode()
)


@settings(max_examples=200)
@given(st.sampled_from(Encoding), st.sampled_from(Source), BAGS | st.binary(max_size=60), st.binary(max_size=60))
def test_any_entry_is_shown_and_the_sender_is_who_sent_it(
    encoding: Encoding, source: Source, properties: bytes, body: bytes
) -> None:
    origin = Origin(identity("press-7"), source, encoding)
    event = decode_event(Logged(0, 1, 1.0, Entry(origin, properties, body)), "hub")
    shown = json.loads(json.dumps(event_json(event)))
    assert shown["systemProperties"]["iothub-connection-device-id"] == "press-7"
    assert not any(name.lower().startswith("iothub-connection") for name in shown["properties"])
    assert "mqtt-dup" not in shown["properties"]
