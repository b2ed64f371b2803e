"""Names that Flex files are known to carry, per kind of row, so that a new one is noticed.

Only a list: an unknown name is kept in the raw row and warned about, never refused. Taken from the
broker's Flex reference and from the attribute sets of real statements. Cash reports are not here: each of
their figures is a line.
"""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CONTRACT = _names(
    """
    accountId acctAlias assetCategory code commodityType conid currency cusip deliveryType description
    expiry figi fineness fxRateToBase initialInvestment isin issuer issuerCountryCode levelOfDetail
    listingExchange model multiplier origTransactionID positionActionID principalAdjustFactor putCall
    relatedTradeID relatedTransactionID reportDate rtn securityID securityIDType sedol serialNumber strike
    subCategory symbol underlyingConid underlyingListingExchange underlyingSecurityID underlyingSymbol
    weight
    """
)

TRADE = _names(
    """
    accruedInt allocatedTo amount blockID brokerageOrderID brokerClearingCommission
    brokerExecutionCommission buySell capitalGainsPnl changeInPrice changeInQuantity clearingFirmID
    closePrice commission commissionCurrency cost dateTime exchange exchOrderId execID extExecID
    fifoPnlRealized fxPnl holdingPeriodDateTime ibCommission ibCommissionCurrency ibExecID ibOrderID
    isAPIOrder mtmPnl netCash netCashInBase notes openCloseIndicator openDateTime orderID orderReference
    orderTime orderType origOrderID origTradeDate origTradeID origTradePrice otherCommission price
    proceeds quantity rfqID settleDate settleDateTarget tax taxes thirdPartyClearingCommission
    thirdPartyExecutionCommission thirdPartyRegulatoryCommission tradeDate tradeID tradeMoney tradePrice
    traderID tradeTime transactionID transactionType volatilityOrderLink whenRealized whenReopened
    """
)

POSITION = _names(
    """
    accruedInt costBasisMoney costBasisPrice fifoPnlUnrealized holdingPeriodDateTime markPrice
    openDateTime openPrice originatingOrderID originatingTransactionID percentOfNAV position positionValue
    positionValueInBase side unrealizedCapitalGainsPnl unrealizedlFxPnl vestingDate
    """
)

CASH_FLOW = _names(
    """
    actionID amount availableForTradingDate clientReference dateTime exDate settleDate tradeID
    transactionID type
    """
)

OPTION_EVENT = _names(
    """
    capitalGainsPnl commisionsAndTax costBasis date fxPnl markPrice mtmPnl proceeds quantity realizedPnl
    tradeID tradePrice transactionType
    """
)

CORPORATE_ACTION = _names(
    """
    actionDescription actionID amount capitalGainsPnl costBasis dateTime fifoPnlRealized fxPnl mtmPnl
    proceeds quantity transactionID type value
    """
)

SECURITY = _names(
    """
    issueDate maturity settlementPolicyMethod type underlyingCategory
    """
)

ACCOUNT = _names(
    """
    accountCapabilities accountRepName accountRepPhone accountType city cityResidentialAddress country
    countryResidentialAddress customerType dateClosed dateFunded dateOpened ibEntity lastTradedDate
    masterName name postalCode postalCodeResidentialAddress primaryEmail registeredRepName
    registeredRepPhone state stateResidentialAddress street street2 street2ResidentialAddress
    streetResidentialAddress tradingPermissions
    """
)

SECTIONS = _names(
    """
    AccountInformation Adjustments CashReport CashTransactions CFDCharges ChangeInDividendAccruals
    ChangeInNAV ChangeInPositionValues ClientFees ClientFeesDetail CommissionCredits ComplexPositions
    ConversionRates CorporateActions DebitCardActivities DepositsOnHold EquitySummaryInBase
    FdicInsuredDepositsByBank FIFOPerformanceSummaryInBase FxPositions FxTransactions HardToBorrowDetails
    HardToBorrowMarkupDetails HKIPOOpenSubscriptions HKIPOSubscriptionActivity IBGNoteTransactions
    IncentiveCouponAccrualDetails InterestAccruals MTDYTDPerformanceSummary MTMPerformanceSummaryInBase
    NetStockPositionSummary OpenDividendAccruals OpenPositions OptionEAE PendingExcercises
    PriorPeriodPositions RoutingCommissions SalesTaxes SecuritiesInfo SLBActivities SLBCollaterals SLBFees
    SLBOpenContracts SoftDollars StmtFunds StockGrantActivities TierInterestDetails TradeConfirms Trades
    TradeTransfers TransactionTaxes Transfers UnbookedTrades UnbundledCommissionDetails UnsettledTransfers
    """
)

ATTRIBUTES = {
    "Trade": CONTRACT | TRADE,
    "TradeConfirm": CONTRACT | TRADE,
    "OpenPosition": CONTRACT | POSITION,
    "CashTransaction": CONTRACT | CASH_FLOW,
    "OptionEAE": CONTRACT | OPTION_EVENT,
    "CorporateAction": CONTRACT | CORPORATE_ACTION,
    "SecurityInfo": CONTRACT | SECURITY,
    "AccountInformation": CONTRACT | ACCOUNT,
    "ConversionRate": frozenset({"reportDate", "fromCurrency", "toCurrency", "rate"}),
    "FlexStatement": frozenset(
        {"accountId", "acctAlias", "model", "fromDate", "toDate", "period", "whenGenerated"}
    ),
}
