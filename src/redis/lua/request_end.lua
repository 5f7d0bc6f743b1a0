--[[ request_end: a request has been seen to.
     KEYS  requests
     ARGV  group, id
     gives 1, or 0 if it had gone already ]]
local requests = unpack(KEYS)
local group, id = unpack(ARGV)

redis.call('XACK', requests, group, id)
return redis.call('XDEL', requests, id)
