"""Alpha Vantage over HTTP: option chains, news sentiment, technical indicators."""
