"""A self-hosted IoT hub for devices and back ends that speak to Azure IoT Hub, unchanged."""
