"""Files of object stores and servers, by address; nothing of this is imported for local files."""
