"""Files up: the upload handshake, the hub's own blobs, and what tells back ends that a file is there."""
