"""Use cases: one file per verb phrase, composing the domain over ports."""
