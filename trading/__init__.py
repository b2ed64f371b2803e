"""The domain: values in, values out. No I/O, clock, environment, randomness or Dagster in here."""
