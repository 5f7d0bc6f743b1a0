--[[ request_take_over: take over the requests of workers that died. Removes such workers from the group once they have no requests.
     KEYS  requests
     ARGV  group, consumer, idle: number (ms; a live worker touches each of its requests more often), count: number
     RETURNS  [id: string, fields: Array<string>][]; the fields as field, value, … ]]
local requests = unpack(KEYS)
local group, consumer, idle, count = unpack(ARGV)
local FORGOTTEN = 3600000 -- ms

for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', requests, group)) do
  local _, name, _, pending, _, silent = unpack(fields)
  if pending == 0 and silent > FORGOTTEN and name ~= consumer then redis.call('XGROUP', 'DELCONSUMER', requests, group, name) end
end
return redis.call('XAUTOCLAIM', requests, group, consumer, idle, '0-0', 'COUNT', count)[2]
