"""The tests, mirroring src, and scenarios through the front door."""
