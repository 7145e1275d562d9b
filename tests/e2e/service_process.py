"""A Python process with the vendor's service SDK over AMQP: uamqp takes its trust from the environment at its start."""

import sys
from pathlib import Path
from typing import ClassVar

from tests.e2e.node_process import NodeProcess
from tests.fakes.running_hub import RunningHub


class ServiceProcess(NodeProcess):
    """Runs `service_sdk.py`, asked and answered as the Node scripts are."""

    command: ClassVar[tuple[str, ...]] = (sys.executable,)

    def __init__(self, hub: RunningHub, log: Path) -> None:
        trust = str(hub.ca_path)
        script = Path(__file__).with_name("service_sdk.py")
        super().__init__(str(script), log, SSL_CERT_FILE=trust, REQUESTS_CA_BUNDLE=trust)
