"""All tests. Folders are packages, so that two tests may share a file name."""
