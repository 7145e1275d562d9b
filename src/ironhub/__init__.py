"""A self-hosted IoT hub for devices and back ends that speak to Azure IoT Hub, unchanged."""

__version__ = "0.1.0"
