"""Interactive Brokers: Flex statements and recorded TWS messages, read into the values of `trading.model`.

The edge where the broker's spellings, signs, zones and gaps end. What a file says is never judged here,
only read; what cannot be read is refused by row with its field and reason, or by file with
`FlexRefusedError`.
"""
