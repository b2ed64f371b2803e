-- Keeps what became of a command and takes it from the queue. KEYS: the stream, the command's outcome, the journal.
-- ARGV: the group, entry id, outcome, its life in ms, the session's field and number. The first outcome stands, unless it was a doubt.
-- Returns 1 when the outcome was kept, 0 when another one stands, -1 where a newer session was seen.
if ARGV[5] ~= '' then
  local seen = redis.call('HGET', KEYS[3], ARGV[5])
  if seen and tonumber(seen) > tonumber(ARGV[6]) then return -1 end
end
local kept = 0
local known = redis.call('GET', KEYS[2])
if not known or known == 'waiting' or cjson.decode(known).outcome == 'in_doubt' then
  redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
  kept = 1
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
return kept
