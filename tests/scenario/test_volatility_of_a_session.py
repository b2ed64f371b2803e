"""The whole of the one-day index: gateway, ingestion, live market, poller, regime; sources fail in turn."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest_desk import MarketDesk, market_desk, market_settings, symbol_settings
from volatility_desk import LIMITS
from volatility_samples import default_limits

from adapters.cboe.history import CboeHistory
from adapters.home_folder.volatility_record import VolatilityFolder
from adapters.memory.alerts import MemoryAlerts
from adapters.memory.feed_board import MemoryFeedBoard
from adapters.memory.market import MemoryMarketSink
from adapters.venue.whole_answer import PublicAddress
from adapters.yahoo.chart import YahooChart
from simulation.gateway import GatewayPlan, build_world
from simulation.http.cboe import CboeStub
from simulation.http.server import Answer, Fault
from simulation.http.world_index import WorldIndex
from simulation.http.yahoo import YahooStub
from trading.errors import DeskError
from trading.feeds.poller import Moment
from trading.model.market import Regime, VolatilityReading, VolatilitySource
from trading.ports.feed_health import FeedState
from trading.services.poll_volatility import VolatilityPoller, VolatilityTools
from trading.services.watch_feeds import FeedWatch, watch_feeds
from trading.volatility.observation import INDEX

PLAN = GatewayPlan(speed=10, orders=0, control_port=None, skip_nights=True)
IBKR, YAHOO, DAILY = VolatilitySource.IBKR, VolatilitySource.YAHOO, VolatilitySource.CBOE_HISTORY


@dataclass(slots=True)
class Session:
    """A session that is listened to, and the poller over it; `later` is added to the gateway's clock."""

    desk: MarketDesk
    yahoo: YahooStub
    cboe: CboeStub
    folder: Path
    poller: VolatilityPoller
    later: timedelta = timedelta(0)

    def now(self) -> datetime:
        """The gateway's time."""
        told: list[datetime] = []
        self.desk.running.do(lambda gateway: told.append(gateway.clock.now()))
        return told[0].astimezone(UTC) + self.later

    def poll(self) -> VolatilityReading:
        """Ask all that is due, once; the reading that is then published."""
        moment = Moment(market=self.now(), machine=datetime.now(UTC) + self.later)
        for poll in self.poller.due(moment, 100):
            try:
                answer: object = poll.ask()
            except DeskError as error:
                answer = error
            self.poller.take(poll, answer, Moment(market=self.now(), machine=moment.machine))
        reading = self.desk.state.volatility()
        assert reading is not None
        return reading


@contextmanager
def listened_session(folder: Path) -> Iterator[Session]:
    """Gateway, ingestion and stand-ins on one world."""
    index = WorldIndex.of(build_world(PLAN))
    with market_desk(market_settings(SPY=symbol_settings()), plan=PLAN) as desk:
        desk.wait_for(
            lambda: desk.state.read([INDEX])[INDEX].ticker is not None, "no index in the live market"
        )
        made: list[Session] = []
        with (
            CboeStub(index, lambda: made[0].now(), first=datetime(2026, 6, 1).date()) as cboe,
            YahooStub(index, lambda: made[0].now()) as yahoo,
        ):
            tools = VolatilityTools(
                settings=default_limits(),
                market=desk.state,
                sink=MemoryMarketSink(desk.market),
                record=VolatilityFolder(folder),
                quotes=YahooChart(PublicAddress("yahoo", yahoo.url, LIMITS)),
                history=CboeHistory(PublicAddress("cboe", cboe.file_url, LIMITS)),
                has_broker=True,
                chance=lambda: 0.0,
            )
            made.append(Session(desk, yahoo, cboe, folder, VolatilityPoller(tools)))
            yield made[0]


def test_the_brokers_index_becomes_a_regime_and_its_end_the_next_source(tmp_path: Path) -> None:
    """What the gateway quotes is what is judged; without it Yahoo speaks, then nobody, which vetoes."""
    with listened_session(tmp_path) as session:
        reading = session.poll()
        assert reading.source is IBKR
        assert reading.regime in (Regime.NORMAL, Regime.BENIGN, Regime.ELEVATED)
        assert reading.samples >= 20
        drawn = session.yahoo.path.at(reading.at, reading.at.date())
        assert abs(reading.value - drawn) <= 1, "the gateway and Yahoo tell one index"

        session.later = timedelta(minutes=5)  # the broker's last value is five minutes old
        assert session.poll().source is YAHOO

        session.yahoo.faults.extend([Fault(answer=Answer(b"", 503))] * 1_000)
        session.later = timedelta(minutes=25)
        reading = session.poll()
        assert (reading.source, reading.regime) == (YAHOO, Regime.UNKNOWN)

        told, board = MemoryAlerts(), MemoryFeedBoard()
        watch, moment = FeedWatch(), Moment(market=session.now(), machine=datetime.now(UTC))
        watch_feeds(watch, board, told, session.poller.health(moment), moment.market)
        states = {(feed.source, feed.feed): feed.state for feed in board.feeds()}
        assert states["ibkr", "volatility"] is FeedState.STALE
        assert states["desk", "regime"] is FeedState.STALE
        assert any(code.startswith("feed_stale-desk-regime-VIX1D") for code in told.told)

        session.later = timedelta(0)
        session.yahoo.faults.clear()
        fresh = session.desk.state.read([INDEX])[INDEX].ticker
        assert fresh is not None
        session.desk.wait_for(
            lambda: session.desk.state.read([INDEX])[INDEX].ticker.at > fresh.at, "the index stands still"
        )


def test_a_restarted_poller_judges_from_what_it_kept(tmp_path: Path) -> None:
    """Without vendors after the restart the broker's value has its z-score from the folder all the same."""
    with listened_session(tmp_path) as session:
        before = session.poll()
        for stub in (session.yahoo, session.cboe):
            stub.faults.extend([Fault(drop=True)] * 100)
        session.poller = VolatilityPoller(session.poller._tools)
        after = session.poll()
        assert (after.source, after.samples) == (IBKR, before.samples)
        assert after.z_score is not None
