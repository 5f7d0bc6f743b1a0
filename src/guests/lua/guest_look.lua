--[[ guest_look: check whether a guest ended long enough ago to be forgotten, and record that forgetting has begun.
     KEYS  user, sessions
     ARGV  keep: number (s, after the end of the last session)
     RETURNS  [state: "NO_GUEST" | "FORGOTTEN", none: ""] | [state: "STAYS", seconds: number] | [state: "REGISTERING", username: string] |
           [state: "ENDS", again: 0 | 1]; NO_GUEST (the id has an account, or nothing); FORGOTTEN (except for data in other slots); STAYS,
           s until the next check; REGISTERING, the username, if a registration was cut off; ENDS, 1 if forgetting had begun before ]]
local user, sessions = unpack(KEYS)
local keep = unpack(ARGV)

local guest, ended, noted = unpack(redis.call('HMGET', user, 'guest', 'ended', 'until'))
if guest ~= '1' then return { 'NO_GUEST', '' } end
if ended and not noted then return { 'FORGOTTEN', '' } end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local last = tonumber(redis.call('ZRANGE', sessions, -1, -1, 'WITHSCORES')[2] or 0)
local over = tonumber(noted or 0)
if last > over or over == 0 then
  over = last > 0 and last or now
  redis.call('HSET', user, 'until', string.format('%.0f', over))
end
local left = over + keep * 1000 - now
if left > 0 then return { 'STAYS', math.ceil(left / 1000) } end
local claim = redis.call('HGET', user, 'claim')
if claim then
  claim = cjson.decode(claim)
  if now < claim.deadline then return { 'STAYS', math.ceil((claim.deadline - now) / 1000) } end
  return { 'REGISTERING', claim.username }
end
return { 'ENDS', redis.call('HSET', user, 'ended', 1) == 1 and 0 or 1 }
