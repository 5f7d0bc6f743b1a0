--[[ user_erase: undo user_write for an account that did not get its username.
     KEYS  user, rooms ]]
local user, rooms = unpack(KEYS)

redis.call('UNLINK', user, rooms)
