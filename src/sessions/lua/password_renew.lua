--[[ password_renew: store another hash of the same password, unless the password has changed since it was checked.
     KEYS  user
     ARGV  old_hash (the hash that was checked), new_hash
     RETURNS  0 | 1; 0 if the password has changed ]]
local user = unpack(KEYS)
local old_hash, new_hash = unpack(ARGV)

if redis.call('HGET', user, 'password') ~= old_hash then return 0 end
redis.call('HSET', user, 'password', new_hash)
return 1
