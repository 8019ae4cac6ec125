"""Publishing a study: as one file, and whether such a file may be believed."""
