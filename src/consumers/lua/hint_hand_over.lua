--[[ hint_hand_over: return the open hints of a process that stops, so that other processes get them at once.
     KEYS  hints
     ARGV  group, runner
     RETURNS  number; how many these were ]]
local hints = unpack(KEYS)
local group, runner = unpack(ARGV)

local pending = redis.call('XPENDING', hints, group, '-', '+', 10000, runner)
for _, entry in ipairs(pending) do
  local id = entry[1]
  local found = redis.call('XRANGE', hints, id, id)[1]
  if found then redis.call('XADD', hints, '*', unpack(found[2])) end
  redis.call('XACK', hints, group, id)
  redis.call('XDEL', hints, id)
end
redis.call('XGROUP', 'DELCONSUMER', hints, group, runner)
return #pending
