--[[ consumer_pass: move a consumer's place behind an event that it has handled, or behind the end of a log that it has caught up with.
     KEYS  consumed, meta
     ARGV  name (of the consumer), fence, event: number (its seq), caught_up: boolean (whether it has handled all before it from history)
     RETURNS  "OK" | "LOST"; LOST if another process holds the room ]]
local consumed, meta = unpack(KEYS)
local name, fence, event, caught_up = unpack(ARGV)
-- part: consumer

if not is_mine() then return 'LOST' end
pass(event)
if caught_up == '1' then
  local epoch = redis.call('HGET', meta, 'epoch')
  local place = string.match(redis.call('HGET', consumed, name) or '', '^%d+')
  local since = string.match(redis.call('HGET', consumed, name) or '', '%d+$')
  if epoch and place then
    redis.call('HSET', consumed, name, string.format('%s %s %s', place, epoch, since))
  else
    redis.call('HDEL', consumed, name) -- the log is gone
  end
end
return 'OK'
