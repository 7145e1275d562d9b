from pathlib import Path

from ironhub.wire import amqp
from ironhub.wire.amqp import connection


def test_it_says_whether_the_compiled_form_runs() -> None:
    assert amqp.COMPILED is (Path(connection.__file__).suffix != ".py")


def test_all_that_is_named_is_there() -> None:
    assert all(hasattr(amqp, name) for name in amqp.__all__)
