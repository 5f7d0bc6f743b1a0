--[[ session_end: end one of a user's sessions, or all. Notifies the servers, which check their sockets. A guest without a session has
     ended.
     KEYS  sessions, details, user   (also the channel to publish on)
     ARGV  by: "TOKEN" | "ID" | "ALL", which (the token's hash, or the session's id)
     RETURNS  number; of sessions ended ]]
local sessions, details, user = unpack(KEYS)
local by, which = unpack(ARGV)

local ended = 0
for _, token_hash in ipairs(redis.call('ZRANGE', sessions, 0, -1)) do
  local id = string.match(redis.call('HGET', details, token_hash) or '', '^%S+')
  if by == 'ALL' or (by == 'TOKEN' and token_hash == which) or (by == 'ID' and id == which) then
    redis.call('ZREM', sessions, token_hash)
    redis.call('HDEL', details, token_hash)
    ended = ended + 1
  end
end
if ended > 0 and redis.call('EXISTS', sessions) == 0 and redis.call('HGET', user, 'guest') == '1' then
  local clock = redis.call('TIME')
  redis.call('HSET', user, 'until', string.format('%.0f', clock[1] * 1000 + clock[2] / 1000))
end
if ended > 0 then redis.call('SPUBLISH', user, '{"kind":"sessions.ended"}') end
return ended
