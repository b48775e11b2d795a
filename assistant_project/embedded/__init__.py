"""What `manage.py demo` runs on one machine: child processes, a private PostgreSQL, and the supervisor over them.

Never used in production: `assistant_project.checks` refuses EMBEDDED there.
"""
