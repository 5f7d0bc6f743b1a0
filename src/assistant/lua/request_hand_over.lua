--[[ request_hand_over: return a stopping worker's open requests to the queue, so that other workers get them at once.
     KEYS  requests
     ARGV  group, consumer
     RETURNS  number; how many these were ]]
local requests = unpack(KEYS)
local group, consumer = unpack(ARGV)

local pending = redis.call('XPENDING', requests, group, '-', '+', 10000, consumer)
for _, entry in ipairs(pending) do
  local id = entry[1]
  local found = redis.call('XRANGE', requests, id, id)[1]
  if found then redis.call('XADD', requests, '*', unpack(found[2])) end
  redis.call('XACK', requests, group, id)
  redis.call('XDEL', requests, id)
end
redis.call('XGROUP', 'DELCONSUMER', requests, group, consumer)
return #pending
