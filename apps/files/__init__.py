"""Files that users keep with us: announced, received, kept encrypted, handed out, deleted."""
