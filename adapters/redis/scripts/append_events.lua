-- Appends events to an outbox, all or none. KEYS: the stream, its journal (hash), what this token has done.
-- ARGV: most entries, random part of a new epoch, life of the token in ms, the writer's field and number
-- (an older number than the one in the journal is refused; no field: no lease), then one JSON text per event.
-- Nothing is trimmed here: what is unread stays, and an outbox that is full refuses. An epoch begins where the journal is missing.
-- Returns {'appended', epoch, first sequence, entry ids…}, the same for a repeat of a token; {'full', length},
-- {'fenced', the newer number}.
if ARGV[4] ~= '' then
  local seen = redis.call('HGET', KEYS[2], ARGV[4])
  if seen and tonumber(seen) > tonumber(ARGV[5]) then return {'fenced', seen} end
end
local done = redis.call('GET', KEYS[3])
if done then return cjson.decode(done) end
local events = #ARGV - 5
local length = redis.call('XLEN', KEYS[1])
if length + events > tonumber(ARGV[1]) then return {'full', tostring(length)} end
local epoch = redis.call('HGET', KEYS[2], 'epoch')
if not epoch then
  local t = redis.call('TIME')
  local now_ms = t[1] * 1000 + math.floor(t[2] / 1000)
  epoch = string.format('%013.0f-%s', now_ms, ARGV[2])
  redis.call('HSET', KEYS[2], 'epoch', epoch, 'sequence', '0')
end
local last = redis.call('HINCRBY', KEYS[2], 'sequence', events)
local first = last - events + 1
local answer = {'appended', epoch, string.format('%.0f', first)}
for place = 1, events do
  local sequence = string.format('%.0f', first + place - 1)
  answer[place + 3] = redis.call('XADD', KEYS[1], '*', 'epoch', epoch, 'sequence', sequence, 'event', ARGV[place + 5])
end
redis.call('SET', KEYS[3], cjson.encode(answer), 'PX', ARGV[3])
return answer
