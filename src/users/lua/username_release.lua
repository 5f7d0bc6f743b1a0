--[[ username_release: release a username that was claimed and is not used.
     KEYS  username
     ARGV  user (the owner of the claim)
     RETURNS  0 | 1; 0 if the name belongs to another user ]]
local username = unpack(KEYS)
local user = unpack(ARGV)

if redis.call('GET', username) ~= user then return 0 end
return redis.call('DEL', username)
