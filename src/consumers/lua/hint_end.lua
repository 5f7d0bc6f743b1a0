--[[ hint_end: remove a hint that was followed.
     KEYS  hints
     ARGV  group, id
     RETURNS  0 | 1; 0 if it was removed before ]]
local hints = unpack(KEYS)
local group, id = unpack(ARGV)

redis.call('XACK', hints, group, id)
return redis.call('XDEL', hints, id)
