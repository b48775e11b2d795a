"""The two ASGI servers, each with every pinned setting: Daphne for `make run`, uvicorn for production."""
