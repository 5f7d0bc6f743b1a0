--[[ hint_take_over: take over the hints of processes that died. Removes such processes from the group once they have no hints.
     KEYS  hints
     ARGV  group, runner, idle: number (ms; a live process touches each of its hints more often), count: number
     RETURNS  [id: string, fields: Array<string>][]; the fields as field, value, … ]]
local hints = unpack(KEYS)
local group, runner, idle, count = unpack(ARGV)
local FORGOTTEN = 3600000 -- ms

for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', hints, group)) do
  local _, name, _, pending, _, silent = unpack(fields)
  if pending == 0 and silent > FORGOTTEN and name ~= runner then redis.call('XGROUP', 'DELCONSUMER', hints, group, name) end
end
return redis.call('XAUTOCLAIM', hints, group, runner, idle, '0-0', 'COUNT', count)[2]
