"""The rows of one FlexStatement: which reader each goes to, and which account.

A statement usually has one account. A consolidated one has rows of many: each account gets a statement of
its own. Rows that say again what others say (orders, closed lots, summaries of trades) are left out; they
are no executions.
"""

from collections.abc import Callable

from adapters.ibkr.contracts import contradiction
from adapters.ibkr.flex_account import AccountRows, StatementFrame, finished_statement
from adapters.ibkr.flex_notices import Notices
from adapters.ibkr.flex_rows import FlexRow
from adapters.ibkr.flex_sections import (
    Told,
    read_cash_balance,
    read_cash_flow,
    read_contract,
    read_corporate_action,
    read_fx_rate,
    read_option_event,
    read_position,
)
from adapters.ibkr.flex_trades import KINDS, cancels_nothing, is_execution, read_trade
from adapters.ibkr.refusal import FIELD_CHARS_KEPT, ROW_ERRORS, dead_letter
from trading.errors import InvalidFieldError
from trading.model.fills import Source
from trading.model.statements import BrokerStatement

TRADE_SOURCES = {"Trade": Source.STATEMENT, "TradeConfirm": Source.CONFIRMATION}
TRADE_SECTIONS = frozenset({"Trades", "TradeConfirms"})
SAID_AGAIN = frozenset({"Order", "Lot", "SymbolSummary", "AssetSummary", "WashSale"})
SECTIONS_MAX = 1_000  # the broker has about sixty
KEPT_OTHERWISE = frozenset(
    {"SecurityInfo"}
)  # a contract of a kind we do not carry is no loss: nobody holds it

READERS: dict[str, tuple[str, Callable[[FlexRow, Told], object]]] = {
    "OpenPosition": ("positions", read_position),
    "CashReportCurrency": ("cash", read_cash_balance),
    "CashTransaction": ("cash_flows", read_cash_flow),
    "OptionEAE": ("option_events", read_option_event),
    "CorporateAction": ("corporate_actions", read_corporate_action),
    "SecurityInfo": ("contracts", read_contract),
    "ConversionRate": ("fx_rates", read_fx_rate),
}


class StatementRows:
    """Takes the rows of one FlexStatement one by one and makes its statements at the end."""

    def __init__(self, frame: StatementFrame, notices: Notices) -> None:
        self.frame = frame
        self.notices = notices
        self.sections: list[str] = []
        self.accounts: dict[str, AccountRows] = {}
        self.saw_executions = False
        self.saw_other_levels = False

    def begin_section(self, name: str) -> None:
        """Note a section, empty or not."""
        name = name[:FIELD_CHARS_KEPT]
        if name not in self.sections and len(self.sections) < SECTIONS_MAX:
            self.sections.append(name)
            self.notices.section(name)

    def add(self, section: str, tag: str, attributes: dict[str, str]) -> None:
        """Take a row; one that cannot be read is refused by itself."""
        row = FlexRow(section, tag, {name: value for name, value in attributes.items() if value})
        try:
            row.check_lengths()
            self.notices.attributes(tag, row.attributes)
            self._read(row)
        except ROW_ERRORS as error:
            self._reject(row, error)

    def add_stray(self, tag: str, attributes: dict[str, str]) -> None:
        """Refuse a row that stands outside of every statement."""
        error = InvalidFieldError(tag[:FIELD_CHARS_KEPT], "a row inside a FlexStatement", "one outside")
        self._reject(FlexRow("", tag, attributes), error)

    def result(self) -> tuple[BrokerStatement, ...]:
        """The statement of the account, and of every other account that rows were for."""
        if self.frame.account or not self.accounts:
            self._account(self.frame.account)
        self._give_away_refused()
        covers = bool(TRADE_SECTIONS & set(self.sections)) and (
            self.saw_executions or not self.saw_other_levels
        )
        if not covers:
            self.notices.tell(
                "no execution rows in it (section or level of detail left out): trades stay unknown"
            )
        sections = tuple(self.sections)
        return tuple(
            finished_statement(self.frame, rows, sections, self.notices, covers=covers)
            for rows in self.accounts.values()
        )

    def _give_away_refused(self) -> None:
        """Let refused rows of nobody travel with an account, where there is any."""
        if "" in self.accounts and len(self.accounts) > 1:
            nobody = self.accounts.pop("")
            next(iter(self.accounts.values())).rejected.extend(nobody.rejected)

    def _read(self, row: FlexRow) -> None:
        if row.tag in TRADE_SOURCES:
            self._read_trade(row)
        elif row.tag in SAID_AGAIN:
            self.saw_other_levels = True
        elif row.tag in READERS:
            self._read_value(row)
        else:
            self._read_other(row)

    def _read_trade(self, row: FlexRow) -> None:
        if not is_execution(row):
            self.saw_other_levels = True
            return
        self.saw_executions = True
        account = row.account(self.frame.account)
        if row.text("transactionType") not in ("", *KINDS):
            self.notices.tell(
                f"transactionType {row.text('transactionType')!r} is not known; read as an execution"
            )
        reading = read_trade(row, account, TRADE_SOURCES[row.tag])
        for warning in (contradiction(row, reading.fill.instrument), cancels_nothing(reading.fill)):
            if warning:
                self.notices.tell(warning)
        self._account(account).add_trade(reading)

    def _read_value(self, row: FlexRow) -> None:
        name, read = READERS[row.tag]
        account = row.account(self.frame.account)
        told = Told(account, self.frame.from_date, self.frame.to_date)
        try:
            self._account(account).add_value(name, read(row, told))
        except InvalidFieldError as error:
            if row.tag not in KEPT_OTHERWISE:
                raise
            self.notices.tell(f"{row.tag} kept as it came: {error}")
            self._account(account).keep(row)

    def _read_other(self, row: FlexRow) -> None:
        rows = self._account(row.account(self.frame.account))
        if row.tag != "AccountInformation":
            rows.keep(row)
        elif row.text(
            "currency"
        ):  # its other fields are a person's name and address: read by nobody, kept nowhere
            rows.base_currency = row.currency("currency")

    def _reject(self, row: FlexRow, error: Exception) -> None:
        account = self._account_named(row)
        source = TRADE_SOURCES.get(row.tag, self.frame.source)
        refused = dead_letter(
            source, error, row.attributes, account=account, is_trade_row=row.tag in TRADE_SOURCES
        )
        self._account(account).rejected.append(refused)

    def _account_named(self, row: FlexRow) -> str:
        try:
            return row.account(self.frame.account)
        except InvalidFieldError:
            return self.frame.account

    def _account(self, account: str) -> AccountRows:
        if account not in self.accounts:
            self.accounts[account] = AccountRows(account)
        return self.accounts[account]
