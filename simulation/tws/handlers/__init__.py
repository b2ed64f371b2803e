"""What the gateway does with each request; the table of them is in dispatch.py."""
