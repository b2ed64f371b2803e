-- Sets values of one symbol, each with the same life. KEYS: where to; ARGV: the life in ms, then one text for each key.
for place, key in ipairs(KEYS) do redis.call('SET', key, ARGV[place + 1], 'PX', ARGV[1]) end
return #KEYS
