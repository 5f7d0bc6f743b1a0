--[[ user_claim: store a new account, unless its id is taken by an account, or by sessions of a deleted account.
     KEYS  user, sessions, details
     ARGV  ...fields: Array<string | number> (field, value, and further pairs)
     RETURNS  0 | 1; 0 if the id is taken ]]
local user, sessions, details = unpack(KEYS)

if redis.call('EXISTS', user) + redis.call('EXISTS', sessions) + redis.call('EXISTS', details) > 0 then return 0 end
redis.call('HSET', user, unpack(ARGV))
return 1
