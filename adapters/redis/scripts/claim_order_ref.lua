-- Notes which command sends an order_ref, the first for as long as it is kept. KEYS: the order_ref's key, the journal.
-- ARGV: the command, life in ms, the session's field and number. Returns the command that has it, or nothing where a newer session was seen.
if ARGV[3] ~= '' then
  local seen = redis.call('HGET', KEYS[2], ARGV[3])
  if seen and tonumber(seen) > tonumber(ARGV[4]) then return false end
end
redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
return redis.call('GET', KEYS[1])
