"""People of head office: users, sessions, roles."""
