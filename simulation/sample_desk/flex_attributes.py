"""Attribute names of the broker's statements, by element, in the order in which real files carry them.

Taken from a real year's Activity statement, a real Activity statement with option events, and a real Trade
Confirmation; a golden test holds them against those files. Only names belong here; values are written in
`activity` and its neighbours.
"""


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FLEX_STATEMENT: tuple[str, ...] = _names(
    """
    accountId fromDate toDate period whenGenerated
    """
)  # one account and period
ACTIVITY_SECTIONS: tuple[str, ...] = _names(
    """
    AccountInformation EquitySummaryInBase MTDYTDPerformanceSummary CashReport OpenPositions
    HKIPOOpenSubscriptions FxPositions Trades TransactionTaxes TradeTransfers FxTransactions
    UnsettledTransfers UnbookedTrades RoutingCommissions UnbundledCommissionDetails PriorPeriodPositions
    IBGNoteTransactions CorporateActions HKIPOSubscriptionActivity CashTransactions SalesTaxes
    CFDCharges InterestAccruals HardToBorrowDetails SLBOpenContracts SLBCollaterals SLBActivities
    SLBFees IncentiveCouponAccrualDetails Transfers ChangeInDividendAccruals OpenDividendAccruals
    SecuritiesInfo DepositsOnHold
    """
)  # children of an Activity statement, most of them empty
ACCOUNT_INFORMATION: tuple[str, ...] = _names(
    """
    accountId acctAlias model currency name accountType customerType accountCapabilities
    tradingPermissions accountRepName accountRepPhone dateOpened dateFunded dateClosed lastTradedDate
    street street2 city state country postalCode streetResidentialAddress street2ResidentialAddress
    cityResidentialAddress stateResidentialAddress countryResidentialAddress
    postalCodeResidentialAddress masterName ibEntity primaryEmail
    """
)  # whose account
TRADE: tuple[str, ...] = _names(
    """
    accountId acctAlias model currency fxRateToBase assetCategory subCategory symbol description conid
    securityID securityIDType cusip isin figi listingExchange underlyingConid underlyingSymbol
    underlyingSecurityID underlyingListingExchange issuer issuerCountryCode tradeID multiplier
    relatedTradeID strike reportDate expiry dateTime putCall tradeDate principalAdjustFactor
    settleDateTarget transactionType exchange quantity tradePrice tradeMoney proceeds taxes ibCommission
    ibCommissionCurrency netCash closePrice openCloseIndicator notes cost fifoPnlRealized mtmPnl
    origTradePrice origTradeDate origTradeID origOrderID origTransactionID buySell clearingFirmID
    ibOrderID transactionID ibExecID relatedTransactionID rtn brokerageOrderID orderReference
    volatilityOrderLink exchOrderId extExecID orderTime openDateTime holdingPeriodDateTime whenRealized
    whenReopened levelOfDetail changeInPrice changeInQuantity orderType traderID isAPIOrder accruedInt
    initialInvestment positionActionID serialNumber deliveryType commodityType fineness weight
    """
)  # Activity: one execution, cancel or booking
OPEN_POSITION: tuple[str, ...] = _names(
    """
    accountId acctAlias model currency fxRateToBase assetCategory subCategory symbol description conid
    securityID securityIDType cusip isin figi listingExchange underlyingConid underlyingSymbol
    underlyingSecurityID underlyingListingExchange issuer issuerCountryCode multiplier strike expiry
    putCall principalAdjustFactor reportDate position markPrice positionValue openPrice costBasisPrice
    costBasisMoney percentOfNAV fifoPnlUnrealized side levelOfDetail openDateTime holdingPeriodDateTime
    vestingDate code originatingOrderID originatingTransactionID accruedInt serialNumber deliveryType
    commodityType fineness weight
    """
)  # LOT and SUMMARY rows
CASH_TRANSACTION: tuple[str, ...] = _names(
    """
    accountId acctAlias model currency fxRateToBase assetCategory subCategory symbol description conid
    securityID securityIDType cusip isin figi listingExchange underlyingConid underlyingSymbol
    underlyingSecurityID underlyingListingExchange issuer issuerCountryCode multiplier strike expiry
    putCall principalAdjustFactor dateTime settleDate availableForTradingDate amount type tradeID code
    transactionID reportDate exDate clientReference actionID levelOfDetail serialNumber deliveryType
    commodityType fineness weight
    """
)  # DETAIL and SUMMARY rows
CASH_REPORT_HEAD: tuple[str, ...] = _names(
    """
    accountId acctAlias model currency levelOfDetail fromDate toDate
    """
)  # CashReportCurrency: what the row is about
CASH_REPORT_LINES: tuple[str, ...] = _names(
    """
    startingCash clientFees commissions referralFee commissionCreditsRedemption billableCommissions
    depositWithdrawals deposits withdrawals carbonCredits donations accountTransfers linkingAdjustments
    internalTransfers paxosTransfers excessFundSweep debitCardActivity billPay dividends
    insuredDepositInterest brokerInterest brokerFees bondInterest cashSettlingMtm realizedVm
    realizedForexVm cfdCharges netTradesSales netTradesPurchases advisorFees feesReceivables
    paymentInLieu transactionTax taxReceivables withholdingTax withholding871m withholdingCollectedTax
    salesTax billableSalesTax ipoSubscription fxTranslationGainLoss otherFees otherIncome other
    endingCash endingSettledCash slbStartingCashCollateral slbNetSecuritiesLentActivity
    slbEndingCashCollateral slbNetCash slbNetSettledCash
    """
)  # each of them three times: all, securities (Sec), commodities (Com)
SECURITY_INFO: tuple[str, ...] = _names(
    """
    currency assetCategory subCategory symbol description conid securityID securityIDType cusip isin
    figi listingExchange underlyingConid underlyingSymbol underlyingSecurityID underlyingListingExchange
    issuer issuerCountryCode multiplier strike expiry putCall principalAdjustFactor maturity issueDate
    underlyingCategory settlementPolicyMethod code serialNumber deliveryType commodityType fineness
    weight
    """
)  # the contract master of the statement
OPTION_EAE: tuple[str, ...] = _names(
    """
    accountId currency assetCategory symbol conid underlyingSymbol multiplier strike expiry putCall date
    transactionType quantity tradePrice markPrice realizedPnl tradeID
    """
)  # expirations, exercises, assignments
TRADE_CONFIRM: tuple[str, ...] = _names(
    """
    accountId currency assetCategory symbol description conid underlyingSymbol multiplier strike expiry
    putCall transactionType tradeID orderID execID dateTime tradeDate buySell quantity price commission
    code levelOfDetail
    """
)  # Trade Confirmation: one execution
CASH_REPORT: tuple[str, ...] = CASH_REPORT_HEAD + tuple(
    line + part for line in CASH_REPORT_LINES for part in ("", "Sec", "Com")
)  # CashReportCurrency
