"""What has to be done again and again in every app, and the one process that does it: `manage.py run_upkeep`."""
