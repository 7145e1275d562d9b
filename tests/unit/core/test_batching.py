"""A thread that works in batches."""

import threading

from ironhub.core.batching import BatchThread


def test_what_comes_while_it_works_is_done_together_in_order() -> None:
    batches: list[list[int]] = []
    begun, go_on = threading.Event(), threading.Event()

    def work(items: list[int]) -> None:
        batches.append(items)
        begun.set()
        assert go_on.wait(30)

    thread = BatchThread("test", work)
    thread.put(0)
    assert begun.wait(30)
    for number in range(1, 6):
        thread.put(number)
    go_on.set()
    thread.close()
    assert batches == [[0], [1, 2, 3, 4, 5]]


def test_a_batch_has_a_bound() -> None:
    batches: list[list[int]] = []
    begun, go_on = threading.Event(), threading.Event()

    def work(items: list[int]) -> None:
        batches.append(items)
        begun.set()
        assert go_on.wait(30)

    thread = BatchThread("test", work, max_batch=2)
    thread.put(0)
    assert begun.wait(30)
    for number in range(1, 6):
        thread.put(number)
    go_on.set()
    thread.close()
    assert batches == [[0], [1, 2], [3, 4], [5]]


def test_closing_an_idle_thread_does_no_work() -> None:
    batches: list[list[int]] = []
    BatchThread("test", batches.append).close()
    assert batches == []


def test_it_works_in_a_thread_of_its_own_name() -> None:
    names: list[str] = []
    thread: BatchThread[int] = BatchThread("log-writer", lambda items: names.append(threading.current_thread().name))
    thread.put(1)
    thread.close()
    assert names == ["log-writer"]
