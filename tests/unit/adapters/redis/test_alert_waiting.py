"""What waits for the server: of a code its begin and its end, of a process each of its own words once."""

from adapters.redis.alert_waiting import Said, Step, WaitingWords


def word(step: Step, code: str = "") -> Said:
    """One that was meant at the same moment as all the others."""
    return Said(step=step, code=code, text="", at=0.0, identity="")


def written_of(*words: Said) -> list[Step]:
    """What is left of them, in its order."""
    waiting, steps = WaitingWords(10), list[Step]()
    for each in words:
        waiting.keep(each)
    while (first := waiting.first()) is not None:
        steps.append(first.step)
        waiting.written(first)
    return steps


def test_what_begins_ends_and_begins_again_has_only_begun() -> None:
    """The end between is no news any more."""
    flapping = (Step.RAISE, Step.END, Step.RAISE)
    assert written_of(*(word(step, "drain_stuck") for step in flapping)) == [Step.RAISE]


def test_a_process_that_has_another_lease_still_ends_what_the_one_before_it_left() -> None:
    """Its number and its taking over are no begin and end of one thing: none of them takes the other away."""
    told = (Step.FENCE, Step.TAKE_OVER, Step.FENCE)
    assert written_of(*map(word, told)) == [Step.FENCE, Step.TAKE_OVER]
