"""HTTP/1.1 on the shared port: REST for back ends and devices, and the doorway to WebSockets."""
