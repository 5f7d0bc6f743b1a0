--[[ request_end: remove a request that was handled.
     KEYS  requests
     ARGV  group, id
     RETURNS  0 | 1; 0 if it was removed before ]]
local requests = unpack(KEYS)
local group, id = unpack(ARGV)

redis.call('XACK', requests, group, id)
return redis.call('XDEL', requests, id)
