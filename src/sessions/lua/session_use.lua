--[[ session_use: find a token's session, record the use, and prolong the session up to its absolute end. A session ends with its account.
     KEYS  sessions, details, user
     ARGV  token_hash, account_ttl: number, guest_ttl: number (s), lifetime: number (s, the longest that a session lasts), pause: number (s,
           in which further uses write nothing)
     RETURNS  [id: string, kind: "account" | "guest", left: number] | null; left is the remaining time (ms); null if the session
              has ended ]]
local sessions, details, user = unpack(KEYS)
local token_hash, account_ttl, guest_ttl, lifetime, pause = unpack(ARGV)

local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local expiry = tonumber(redis.call('ZSCORE', sessions, token_hash) or 0)
if expiry <= now or redis.call('EXISTS', user) == 0 then return nil end
local id, kind, created, seen = string.match(redis.call('HGET', details, token_hash) or '', '^(%S+) (%S+) (%d+) (%d+)$')
if not id then return nil end
local last = created + lifetime * 1000
if last <= now then -- the session started before sessions had an absolute end
  redis.call('ZREM', sessions, token_hash)
  redis.call('HDEL', details, token_hash)
  return nil
end

if now - seen >= pause * 1000 then
  redis.call('HSET', details, token_hash, string.format('%s %s %s %.0f', id, kind, created, now))
  expiry = math.min(last, math.max(expiry, now + (kind == 'guest' and guest_ttl or account_ttl) * 1000))
  local text = string.format('%.0f', expiry)
  redis.call('ZADD', sessions, text, token_hash)
  redis.call('PEXPIREAT', sessions, text, 'GT')
  redis.call('PEXPIREAT', details, text, 'GT')
  if kind == 'guest' then redis.call('HSET', user, 'until', text) end
end
return { id, kind, math.ceil(expiry - now) }
