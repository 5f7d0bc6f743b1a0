--[[ session_use: find a token's session, note that it is used, and prolong it. Without its account a session is over.
     KEYS  sessions, details, user
     ARGV  token_hash, account_ttl, guest_ttl (s), pause (s, within which further uses write nothing)
     gives {id, kind (account or guest)}, or nil where it is over ]]
local sessions, details, user = unpack(KEYS)
local token_hash, account_ttl, guest_ttl, pause = unpack(ARGV)

local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
if tonumber(redis.call('ZSCORE', sessions, token_hash) or 0) <= now or redis.call('EXISTS', user) == 0 then return nil end
local id, kind, created, seen = string.match(redis.call('HGET', details, token_hash) or '', '^(%S+) (%S+) (%d+) (%d+)$')
if not id then return nil end

if now - seen >= pause * 1000 then
  redis.call('HSET', details, token_hash, string.format('%s %s %s %.0f', id, kind, created, now))
  local expiry = string.format('%.0f', now + (kind == 'guest' and guest_ttl or account_ttl) * 1000)
  redis.call('ZADD', sessions, 'GT', expiry, token_hash)
  redis.call('PEXPIREAT', sessions, expiry, 'GT')
  redis.call('PEXPIREAT', details, expiry, 'GT')
  if kind == 'guest' then redis.call('HSET', user, 'until', expiry) end
end
return { id, kind }
