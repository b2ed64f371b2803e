"""The address of the live state, before anything connects."""

import pytest

from adapters.redis.live_state import RedisLiveState
from trading.errors import ConfigurationError


@pytest.mark.parametrize("url", ["", "nonsense", "http://:geheim@127.0.0.1:1", "redis://:geheim@h:port/0"])
def test_an_address_that_is_none_names_its_setting_and_no_password(url: str) -> None:
    """A person sees which variable to mend; a URL may carry a password."""
    with pytest.raises(ConfigurationError, match="REDIS_URL") as refusal:
        RedisLiveState(url)
    assert "geheim" not in str(refusal.value)
