"""The phones' side: sockets as cursors over the event log. Knows no model and generates nothing."""
