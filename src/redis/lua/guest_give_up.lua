--[[ guest_give_up: a guest's registration came to nothing, as the username is another's: they stay a guest.
     KEYS  user
     ARGV  attempt ('' for whichever)
     gives 1, or 0 where another attempt has taken over ]]
local user = unpack(KEYS)
local attempt = unpack(ARGV)

local claim = redis.call('HGET', user, 'claim')
if not claim or (attempt ~= '' and cjson.decode(claim).attempt ~= attempt) then return 0 end
redis.call('HDEL', user, 'claim', 'password')
return 1
