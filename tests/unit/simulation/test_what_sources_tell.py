"""One fill has one execution id in the stream, the same-day answer, the confirmation and the statement."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import parse

import pytest

from simulation.sample_desk import Journal, write_sample_desk

RECORDED = Path(__file__).parents[4] / "shared" / "data" / "ibkr-wire" / "messages.jsonl"
EXECUTION, COMMISSION = "11", "59"
SEC_TYPE, EXEC_ID, PRICE = 5, 14, 20


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Journal]:
    """Eight sessions of two accounts, all told honestly."""
    directory = tmp_path_factory.mktemp("desk")
    journal = write_sample_desk(directory, seed=12, planted=False, sessions=8, accounts=2, venues=False)
    return directory / "inbox", journal


def _messages(inbox: Path, pattern: str) -> Iterator[list[str]]:
    for path in sorted(inbox.glob(pattern)):
        for line in path.read_text().splitlines():
            yield json.loads(line)["fields"]


def _executions(inbox: Path, pattern: str) -> Counter[str]:
    told = (fields for fields in _messages(inbox, pattern) if fields[0] == EXECUTION)
    return Counter(fields[EXEC_ID] for fields in told if fields[SEC_TYPE] != "BAG")


def _attributes(inbox: Path, pattern: str, tag: str, name: str) -> Counter[str]:
    files = sorted(inbox.glob(pattern))
    rows = (element.get(name, "") for path in files for element in parse(path).getroot().iter(tag))
    return Counter(value for value in rows if value)


def test_messages_have_the_fields_of_recorded_ones(desk: tuple[Path, Journal]) -> None:
    """An execution has 31 fields and a commission report 8, as many as a real gateway's."""
    lengths = {(fields[0], len(fields)) for fields in _messages(desk[0], "*.jsonl")}
    assert lengths == {("15", 3), (EXECUTION, 31), (COMMISSION, 8)}
    if not RECORDED.exists():
        pytest.skip(f"no recorded messages at {RECORDED}")
    recorded = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    real = {(item["fields"][0], len(item["fields"])) for item in recorded}
    assert lengths <= real


def test_one_fill_has_one_id_everywhere(desk: tuple[Path, Journal]) -> None:
    """Every id of the stream, the answer and the confirmation is one of the statement's."""
    inbox, _ = desk
    statement = set(_attributes(inbox, "*activity.xml", "Trade", "ibExecID"))
    confirmed = set(_attributes(inbox, "*confirmation.xml", "TradeConfirm", "execID"))
    same_day, live = set(_executions(inbox, "*executions.jsonl")), set(_executions(inbox, "*live.jsonl"))
    assert confirmed <= statement
    assert same_day <= statement
    assert live <= statement
    assert len(confirmed) > len(live) > 0


def test_stream_loses_repeats_and_reorders(desk: tuple[Path, Journal]) -> None:
    """Some executions never come live, some come several times, some commissions come before them."""
    inbox, _ = desk
    live, same_day = _executions(inbox, "*live.jsonl"), _executions(inbox, "*executions.jsonl")
    assert set(same_day) - set(live)
    assert max(live.values()) > 1
    seen: set[str] = set()
    early = 0
    for fields in _messages(inbox, "*live.jsonl"):
        if fields[0] == EXECUTION:
            seen.add(fields[EXEC_ID])
        elif fields[0] == COMMISSION and fields[2] not in seen:
            early += 1
    assert early > 0


def test_same_day_answer_does_not_reach_back_before_midnight(desk: tuple[Path, Journal]) -> None:
    """Fills of the evening before are in the confirmation and not in the answer."""
    inbox, _ = desk
    answered = set(_executions(inbox, "*executions.jsonl"))
    confirmed = set(_attributes(inbox, "*confirmation.xml", "TradeConfirm", "execID"))
    assert confirmed - answered


def test_correction_is_told_as_a_real_one(desk: tuple[Path, Journal]) -> None:
    """First print, cancel without execution id, second print under the next revision; quantities add up."""
    inbox, journal = desk
    assert journal.corrected
    rows = [
        dict(element.attrib)
        for path in sorted(inbox.glob("*activity.xml"))
        for element in parse(path).getroot().iter("Trade")
    ]
    for fill_id in journal.corrected:
        first = next(row for row in rows if row["ibExecID"] == f"{fill_id}.01")
        second = next(row for row in rows if row["ibExecID"] == f"{fill_id}.02")
        cancel = next(row for row in rows if row["origTradeID"] == first["tradeID"])
        assert (cancel["ibExecID"], cancel["tradeID"], cancel["notes"]) == ("", "", "Ca")
        assert second["tradeID"] == first["tradeID"]
        numbers = [int(row["transactionID"]) for row in (first, cancel, second)]
        assert numbers == sorted(numbers)
        assert int(first["quantity"]) == -int(cancel["quantity"])


def test_combination_itself_is_told_and_is_no_fill(desk: tuple[Path, Journal]) -> None:
    """The gateway reports the combination under part 01; its legs, from 02 on, are the fills."""
    inbox, journal = desk
    bags = {
        fields[EXEC_ID]
        for fields in _messages(inbox, "*live.jsonl")
        if fields[0] == EXECUTION and fields[SEC_TYPE] == "BAG"
    }
    assert bags
    fills = {row["fill_id"] for row in journal.fills}
    for exec_id in bags:
        fill_id = exec_id.rpartition(".")[0]
        assert fill_id.endswith(".01")
        assert fill_id not in fills
        assert f"{fill_id[:-3]}.02" in fills


def test_rebate_is_negative_live_and_positive_in_the_statement(desk: tuple[Path, Journal]) -> None:
    """The sources use opposite signs for the same money."""
    inbox, _ = desk
    live = {
        fields[2]: fields[3] for fields in _messages(inbox, "*executions.jsonl") if fields[0] == COMMISSION
    }
    rebates = [exec_id for exec_id, fee in live.items() if fee.startswith("-") and exec_id.endswith(".01")]
    assert rebates
    rows = {
        element.get("ibExecID"): element.get("ibCommission")
        for path in sorted(inbox.glob("*activity.xml"))
        for element in parse(path).getroot().iter("Trade")
    }
    assert all(rows[exec_id] == live[exec_id].removeprefix("-") for exec_id in rebates)


def test_some_rows_are_told_again_by_a_later_statement(desk: tuple[Path, Journal]) -> None:
    """Two rows of each account stand in the next statement too, and one statement comes twice."""
    inbox, _ = desk
    once = sorted(path for path in inbox.glob("*activity.xml"))
    rows = Counter(
        tuple(element.attrib.items()) for path in once for element in parse(path).getroot().iter("Trade")
    )
    numbers = Counter(dict(row)["transactionID"] for row in rows)
    assert sorted(rows.values(), reverse=True)[:5] == [2, 2, 2, 2, 1]
    assert max(numbers.values()) == 1
    assert len(list(inbox.glob("*activity_again.xml"))) == 2
