from pathlib import Path

from ironhub.wire import mqtt
from ironhub.wire.mqtt import session


def test_it_says_whether_the_compiled_form_runs() -> None:
    assert mqtt.COMPILED is (Path(session.__file__).suffix != ".py")


def test_all_that_is_named_is_there() -> None:
    assert all(hasattr(mqtt, name) for name in mqtt.__all__)
