"""The commands: flags to library calls to what is printed."""
