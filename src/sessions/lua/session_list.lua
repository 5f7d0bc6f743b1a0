--[[ session_list: read a user's open sessions.
     KEYS  sessions, details
     RETURNS  string[]; token_hash, expiry (ms), 'id kind created seen' (ms), token_hash, …, ordered by expiry ]]
local sessions, details = unpack(KEYS)

local clock = redis.call('TIME')
local now = string.format('(%.0f', clock[1] * 1000 + clock[2] / 1000)
local list = {}
local open = redis.call('ZRANGEBYSCORE', sessions, now, '+inf', 'WITHSCORES')
for index = 1, #open, 2 do
  local detail = redis.call('HGET', details, open[index])
  if detail then
    list[#list + 1] = open[index]
    list[#list + 1] = open[index + 1]
    list[#list + 1] = detail
  end
end
return list
