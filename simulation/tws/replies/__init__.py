"""What the gateway sends: one pure function per message, values in, texts out, the message id first.

A function takes the server version where the message changed with it. Order, count and spelling of the texts
are those of recorded messages; the client drops a message with one text more or less.
"""

Message = list[str]

__all__ = ["Message"]
