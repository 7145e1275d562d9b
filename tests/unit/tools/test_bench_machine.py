"""What the kernel counts, and how it is read."""

import os
import time

import pytest
from tools.bench.machine import (
    TICKS,
    busy_seconds,
    cores,
    cpu_seconds,
    cpu_seconds_with_children,
    describe,
    parse_status,
    resident_bytes,
)


def test_the_cpu_seconds_of_this_process_are_what_it_counts_itself() -> None:
    before = time.process_time()
    found = cpu_seconds(os.getpid())
    assert before <= found <= time.process_time()


def test_children_are_counted_with_their_parent() -> None:
    before = time.process_time()
    assert cpu_seconds_with_children(os.getpid()) >= before


def test_the_sizes_of_a_process_are_read_by_name() -> None:
    assert parse_status("Name:\tpython3\nVmPeak:\t  300 kB\nVmRSS:\t  200 kB\nThreads:\t4\n") == {
        "VmPeak": 300,
        "VmRSS": 200,
    }


def test_this_process_has_megabytes() -> None:
    assert resident_bytes(os.getpid()) > 2**20


def test_idle_and_waiting_time_is_no_work_but_stolen_time_is() -> None:
    line = "cpu  100 10 50 9999 9999 5 5 30 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"
    assert busy_seconds(line) == pytest.approx(200 / TICKS)


def test_work_is_counted_since_the_start_of_the_machine() -> None:
    assert busy_seconds() > 0


def test_the_cores_are_those_this_process_may_use() -> None:
    assert set(cores()) <= os.sched_getaffinity(0)


def test_the_machine_is_described_without_its_name() -> None:
    found = describe()
    assert set(found) == {"processor", "memory", "system", "kernel", "python", "openssl"}
    assert os.uname().nodename not in found.values()
