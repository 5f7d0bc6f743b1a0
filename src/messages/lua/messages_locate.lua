--[[ messages_locate: find the positions of the events that added messages to a room.
     KEYS  log, meta
     ARGV  ...ids_and_times: Array<string | number> (ids of messages and the presumed times of their events in µs, alternating; oldest
           first)
     RETURNS  ([seq: number, epoch: string, at: number] | null)[]; at is in µs; null if the log does not have the event ]]
local log, meta = unpack(KEYS)

-- The first event from a seq on, as seq, at and the event; nil if there is none.
local function event_from(seq)
  local entry = redis.call('XRANGE', log, string.format('%d-0', seq), '+', 'COUNT', 1)[1]
  if not entry then return nil end
  return tonumber(string.match(entry[1], '^%d+')), tonumber(string.match(entry[2][2], '"at":(%d+)')), entry[2][2]
end

-- Times rise with the seq. Searches forward from the last event found in growing steps, then by halving, because consecutive messages are
-- near each other.
local near = 1
local function find_event(at)
  local low, step = near, 1
  local seq, time, event = event_from(low)
  if seq and time > at then low = 1 end
  while seq and time < at do
    low = seq + 1
    step = step * 2
    seq, time, event = event_from(seq + step)
  end
  local high = seq and seq or low + step
  while low < high do
    local middle = math.floor((low + high) / 2)
    seq, time, event = event_from(middle)
    if seq and time < at then low = seq + 1 else high = middle end
  end
  seq, time, event = event_from(low)
  if seq and time == at then
    near = seq
    return seq, event
  end
end

local found = {}
for index = 1, #ARGV, 2 do
  -- The event of a demo app's message has another time than the message if the app dated it in the past.
  local told = redis.call('HGET', meta, 'told:' .. ARGV[index])
  local at = tonumber(told or ARGV[index + 1])
  if told then near = 1 end
  local seq, event = find_event(at)
  local epoch = seq and string.match(event, '"epoch":"(%x*)","kind":"message%.added"')
  table.insert(found, epoch and { seq, epoch, at } or false)
end
return found
