"""Acts on conversations: synchronous, transactional, audited; events leave after the commit."""
