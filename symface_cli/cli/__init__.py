"""The command line: options parsed, one call of the library, results printed."""
