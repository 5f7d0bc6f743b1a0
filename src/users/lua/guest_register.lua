--[[ guest_register: start to turn a guest into an account: store the new account's data until its username is claimed. The password must be
     stored before a demo app can find the user by that name.
     KEYS  user, sessions
     ARGV  token_hash, attempt (random), lease: number (ms, after which another attempt may take over), password_hash, account (JSON:
           username, and name and email if given)
     RETURNS  string | null; the username that an earlier attempt may have claimed and not used, '' for none; null while another attempt is
           in progress
     FAILS  UNAUTHENTICATED if the session has ended, or the guest has become an account ]]
local user, sessions = unpack(KEYS)
local token_hash, attempt, lease, password_hash, account = unpack(ARGV)

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if tonumber(redis.call('ZSCORE', sessions, token_hash) or 0) <= now or redis.call('HGET', user, 'guest') ~= '1' then
  return redis.error_reply('UNAUTHENTICATED This session has ended. Log in again.')
end
local before = redis.call('HGET', user, 'claim')
before = before and cjson.decode(before)
if before and now < before.deadline then return nil end
local claim = cjson.decode(account)
claim.attempt, claim.deadline = attempt, now + lease
redis.call('HSET', user, 'claim', cjson.encode(claim), 'password', password_hash)
return before and before.username ~= claim.username and before.username or ''
