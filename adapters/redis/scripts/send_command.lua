-- Queues a command once. KEYS: the stream, fencing numbers by sender (hash), the command's outcome.
-- ARGV: most entries, sender, fencing number (text), outcome to keep while it waits, its life in ms, outcome if stale, the command.
-- All is read before anything is written. A lower fencing number than one seen of the sender refuses for good.
-- Returns {'known', outcome}, {'stale', outcome}, {'full', length} or {'sent', entry id}.
local known = redis.call('GET', KEYS[3])
if known then return {'known', known} end
local seen = redis.call('HGET', KEYS[2], ARGV[2])
if seen and tonumber(seen) > tonumber(ARGV[3]) then
  redis.call('SET', KEYS[3], ARGV[6], 'PX', ARGV[5])
  return {'stale', ARGV[6]}
end
local length = redis.call('XLEN', KEYS[1])
if length >= tonumber(ARGV[1]) then return {'full', tostring(length)} end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('SET', KEYS[3], ARGV[4], 'PX', ARGV[5])
return {'sent', redis.call('XADD', KEYS[1], '*', 'command', ARGV[7])}
