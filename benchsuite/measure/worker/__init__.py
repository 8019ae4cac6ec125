"""One trial at a time, inside a process of its backend's own interpreter."""
