--[[ user_claim: write a new account, unless anything exists under its id: an account, or sessions of one that is gone.
     KEYS  user, sessions, details
     ARGV  (fields of the account and their values, in turn)
     gives 1, or 0 where the id is taken ]]
if redis.call('EXISTS', unpack(KEYS)) > 0 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1
