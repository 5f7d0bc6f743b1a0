--[[ guest_give_up: end a guest's registration, because another user has the username. The user stays a guest.
     KEYS  user
     ARGV  attempt ('' for any)
     RETURNS  0 | 1; 0 if another attempt has taken over ]]
local user = unpack(KEYS)
local attempt = unpack(ARGV)

local claim = redis.call('HGET', user, 'claim')
if not claim or (attempt ~= '' and cjson.decode(claim).attempt ~= attempt) then return 0 end
redis.call('HDEL', user, 'claim', 'password')
return 1
