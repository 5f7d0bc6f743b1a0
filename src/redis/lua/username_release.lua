--[[ username_release: give up a username that was claimed and is not used.
     KEYS  username
     ARGV  user (whose it has to be)
     gives 1, or 0 where it is another's ]]
local username = unpack(KEYS)
local user = unpack(ARGV)

if redis.call('GET', username) ~= user then return 0 end
return redis.call('DEL', username)
