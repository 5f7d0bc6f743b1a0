--[[ user_claim: write a new account, unless anything exists under its id: an account, or sessions of one that is gone.
     KEYS  user, sessions, details
     ARGV  field, value   (and further ones in turn)
     gives 1, or 0 where the id is taken ]]
local user, sessions, details = unpack(KEYS)

if redis.call('EXISTS', user) + redis.call('EXISTS', sessions) + redis.call('EXISTS', details) > 0 then return 0 end
redis.call('HSET', user, unpack(ARGV))
return 1
