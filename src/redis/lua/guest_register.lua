--[[ guest_register: begin to make an account of a guest: keep what it is to be until its username is claimed. The password has to be
     there before a demo app can find the user by that name.
     KEYS  user, sessions
     ARGV  token_hash, attempt (random), lease (ms, after which another attempt may take over), password_hash, account (JSON: username, and name and email where they are given)
     gives the username that an attempt before may have claimed and not used, '' for none; nil while another attempt is under way
     fails UNAUTHENTICATED if the session is over, or the guest has become an account ]]
local user, sessions = unpack(KEYS)
local token_hash, attempt, lease, password_hash, account = unpack(ARGV)

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if tonumber(redis.call('ZSCORE', sessions, token_hash) or 0) <= now or redis.call('HGET', user, 'guest') ~= '1' then
  return redis.error_reply('UNAUTHENTICATED by now')
end
local before = redis.call('HGET', user, 'claim')
before = before and cjson.decode(before)
if before and now < before.deadline then return nil end
local claim = cjson.decode(account)
claim.attempt, claim.deadline = attempt, now + lease
redis.call('HSET', user, 'claim', cjson.encode(claim), 'password', password_hash)
return before and before.username ~= claim.username and before.username or ''
