-- Takes entries away that are done with. KEYS[1] the stream; ARGV: the group, then entry ids. Returns how many were there.
redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 2))
return redis.call('XDEL', KEYS[1], unpack(ARGV, 2))
